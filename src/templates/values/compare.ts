import { typeError } from '../errors.ts'
import type { Work } from '../work.ts'
import { iterate, textOf, typeName } from './inspect.ts'
import { isInt, isNumber, toInt } from './numbers.ts'
import { Dict, type DictKey, DictView, Float, List, Range, Tuple, Undefined, type Value } from './objects.ts'
import { find } from './search.ts'
import { compareText } from './text.ts'

/** Deepest nesting that is compared, printed or written as JSON; Python's own limit is about 1,000. */
export const MAX_NESTING = 400

/** Python's ==. */
export function equal(work: Work, a: Value, b: Value, depth = 0): boolean {
  work.spend(1)
  if (depth > MAX_NESTING) throw typeError('a value nests too deeply to be compared')
  const text = textOf(a)
  if (text !== undefined) {
    const other = textOf(b)
    if (other === undefined || other.length !== text.length) return false
    work.scan(text.length)
    return text === other
  }
  if (isNumber(a)) return isNumber(b) && order(numberOf(a), numberOf(b)) === 0
  if (a instanceof List) return b instanceof List && equalItems(work, a.items, b.items, depth)
  if (a instanceof Tuple) return b instanceof Tuple && equalItems(work, a.items, b.items, depth)
  if (a instanceof Dict) return b instanceof Dict && equalDicts(work, a, b, depth)
  if (a instanceof Range) return b instanceof Range && equalRanges(a, b)
  if (a instanceof Undefined) return b instanceof Undefined
  if (a instanceof DictView && b instanceof DictView && a.type !== 'dict_values' && b.type !== 'dict_values') {
    return equalViews(work, a, b)
  }
  return a === b
}

function numberOf(value: number | bigint | boolean | Float): number | bigint {
  return value instanceof Float ? value.value : toInt(value)
}

/** JavaScript compares a number with a bigint exactly. */
function order(x: number | bigint, y: number | bigint): number {
  return x < y ? -1 : x > y ? 1 : x <= y ? 0 : Number.NaN
}

/** Identity counts as equality inside containers: a NaN is found in its list. */
export function same(work: Work, a: Value, b: Value, depth = 0): boolean {
  // Of two texts even === goes through all characters.
  if (typeof a === 'string') return equal(work, a, b, depth)
  work.spend(1)
  return a === b || equal(work, a, b, depth)
}

function equalItems(work: Work, a: readonly Value[], b: readonly Value[], depth: number): boolean {
  return a === b || (a.length === b.length && a.every((item, i) => same(work, item, b[i]!, depth + 1)))
}

function equalDicts(work: Work, a: Dict, b: Dict, depth: number): boolean {
  if (a.entries.size !== b.entries.size) return false
  for (const [key, [, value]] of a.entries) {
    const other = b.entries.get(key)
    if (other === undefined || !same(work, value, other[1], depth + 1)) return false
  }
  return true
}

function equalRanges(a: Range, b: Range): boolean {
  if (a.length !== b.length) return false
  return a.length === 0 || (a.start === b.start && (a.length === 1 || a.step === b.step))
}

function equalViews(work: Work, a: DictView, b: DictView): boolean {
  if (a.dict.entries.size !== b.dict.entries.size) return false
  for (const item of a.values()) if (!contains(work, b, item)) return false
  return true
}

/** The order of two values: below 0, 0, above 0; NaN where they have none (a NaN). Throws as Python's < does. */
export function compare(work: Work, a: Value, b: Value, op = '<', depth = 0): number {
  work.spend(1)
  if (depth > MAX_NESTING) throw typeError('a value nests too deeply to be compared')
  const left = textOf(a)
  const right = textOf(b)
  if (left !== undefined && right !== undefined) return compareText(work, left, right)
  if (isNumber(a) && isNumber(b)) {
    return order(numberOf(a), numberOf(b))
  }
  if ((a instanceof List && b instanceof List) || (a instanceof Tuple && b instanceof Tuple)) {
    const shorter = Math.min(a.items.length, b.items.length)
    for (let i = 0; i < shorter; i++) {
      if (!same(work, a.items[i]!, b.items[i]!)) return compare(work, a.items[i]!, b.items[i]!, op, depth + 1)
    }
    return a.items.length - b.items.length
  }
  for (const value of [a, b]) if (value instanceof Undefined) throw value.fault()
  throw typeError(`'${op}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`)
}

/** Python's `value in container`. */
export function contains(work: Work, container: Value, value: Value): boolean {
  const text = textOf(container)
  if (text !== undefined) {
    const part = textOf(value)
    if (part === undefined) throw typeError(`'in <string>' requires string as left operand, not ${typeName(value)}`)
    work.scan(text.length)
    return find(work, text, part, 0) >= 0
  }
  if (container instanceof Dict) return container.entries.has(dictKey(work, value))
  if (container instanceof DictView && container.type === 'dict_keys') {
    return container.dict.entries.has(dictKey(work, value))
  }
  if (container instanceof List || container instanceof Tuple) {
    return container.items.some(item => same(work, item, value))
  }
  if (container instanceof Range && isInt(value)) return inRange(container, Number(value))
  const items = iterate(work, container)
  if (items === undefined) throw typeError(`argument of type '${typeName(container)}' is not iterable`)
  for (let item = items.next(); item !== undefined; item = items.next()) if (same(work, item, value)) return true
  return false
}

export function inRange(range: Range, value: number): boolean {
  const place = (value - range.start) / range.step
  return Number.isInteger(place) && place >= 0 && place < range.length
}

const UNDEFINED_KEY = Symbol('undefined')

/** A Map key for a value, equal for values that are equal in Python. Throws if Python cannot hash the value. */
export function dictKey(work: Work, value: Value, depth = 0): DictKey {
  work.spend(1)
  const text = textOf(value)
  if (text !== undefined) {
    work.scan(text.length)
    return text
  }
  if (value === null) return null
  if (isInt(value)) return toInt(value)
  if (value instanceof Float) return Number.isInteger(value.value) ? bigKey(value.value) : value.value
  if (value instanceof Undefined) return UNDEFINED_KEY
  if (value instanceof Tuple) {
    if (depth > MAX_NESTING) throw typeError('a value nests too deeply to be a key')
    // A lone surrogate in front: no text of a template begins so.
    const parts = value.items.map(item => partOfKey(dictKey(work, item, depth + 1)))
    const length = parts.reduce((sum, part) => sum + part.length, 2)
    work.makeText(length)
    return `\udfff(${parts.join(',')})`
  }
  if (value instanceof List || value instanceof Dict) throw typeError(`unhashable type: '${value.type}'`)
  if (value instanceof DictView && value.type !== 'dict_values') throw typeError(`unhashable type: '${value.type}'`)
  return value
}

function bigKey(value: number): DictKey {
  return Number.isSafeInteger(value) ? value : BigInt(value)
}

const identities = new WeakMap<object, number>()
let lastIdentity = 0

function partOfKey(key: DictKey): string {
  if (typeof key === 'string') return `s${key.length}:${key}`
  if (typeof key === 'object' && key !== null) {
    const known = identities.get(key) ?? ++lastIdentity
    identities.set(key, known)
    return `o${known}`
  }
  return String(typeof key === 'symbol' ? 'u' : key)
}

/** A dict from keys and values; a later value of a key takes the place of the earlier one. */
export function makeDict(work: Work, pairs: Iterable<readonly [Value, Value]>): Dict {
  const entries = new Map<DictKey, readonly [Value, Value]>()
  for (const [key, value] of pairs) {
    const form = dictKey(work, key)
    entries.set(form, [entries.get(form)?.[0] ?? key, value])
  }
  work.makeItems(entries.size)
  return new Dict(entries)
}

export function dictGet(work: Work, dict: Dict, key: Value): Value | undefined {
  return dict.entries.get(dictKey(work, key))?.[1]
}
