import { Fault, typeError } from '../errors.ts'
import type { Work } from '../work.ts'
import { Loop } from './loop.ts'
import { normalInt } from './numbers.ts'
import {
  Dict,
  DictView,
  Float,
  Iter,
  List,
  Markup,
  Namespace,
  PyObject,
  Range,
  Tuple,
  Undefined,
  type Value,
} from './objects.ts'
import { characters, hasSurrogates, textLength } from './text.ts'

/** Python's name of a value's type. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType'
  if (typeof value === 'string') return 'str'
  if (typeof value === 'boolean') return 'bool'
  return value instanceof PyObject ? value.type : 'int'
}

export function isText(value: Value): value is string | Markup {
  return typeof value === 'string' || value instanceof Markup
}

/** The text of a str; of anything else nothing. */
export function textOf(value: Value | undefined): string | undefined {
  return typeof value === 'string' ? value : value instanceof Markup ? value.text : undefined
}

export function truthy(value: Value): boolean {
  if (!(value instanceof PyObject)) return Boolean(value)
  if (value instanceof Float) return value.value !== 0
  if (value instanceof List || value instanceof Tuple) return value.items.length > 0
  if (value instanceof Dict) return value.entries.size > 0
  if (value instanceof DictView) return value.dict.entries.size > 0
  if (value instanceof Markup) return value.text !== ''
  if (value instanceof Range) return value.length > 0
  if (value instanceof Loop) return value.length > 0
  return !(value instanceof Undefined)
}

/** len(value), or undefined where it has none. */
export function lengthOf(work: Work, value: Value): number | undefined {
  const text = textOf(value)
  if (text !== undefined) return textLength(work, text)
  if (value instanceof List || value instanceof Tuple) return value.items.length
  if (value instanceof Dict) return value.entries.size
  if (value instanceof DictView) return value.dict.entries.size
  if (value instanceof Range || value instanceof Loop) return value.length
  return value instanceof Undefined ? 0 : undefined
}

export function len(work: Work, value: Value): number {
  const length = lengthOf(work, value)
  if (length === undefined) throw typeError(`object of type '${typeName(value)}' has no len()`)
  return length
}

/** An iterator over the value, or undefined where Python has none. */
export function iterate(work: Work, value: Value): Iter | undefined {
  if (value instanceof List) return overItems(work, value.items, 'list_iterator')
  if (value instanceof Iter) return value
  if (value instanceof Tuple) return overItems(work, value.items, 'tuple_iterator')
  const text = textOf(value)
  if (text !== undefined) return overText(work, text)
  if (value instanceof Dict) return over(work, new DictView('dict_keys', value).values(), 'dict_keyiterator')
  if (value instanceof DictView) return over(work, value.values(), 'dict_itemiterator')
  if (value instanceof Undefined) return new Iter('generator', () => undefined)
  if (value instanceof Range) {
    let i = 0
    return new Iter('range_iterator', () => {
      work.spend(1)
      return i < value.length ? value.at(i++) : undefined
    })
  }
  return undefined
}

export function iter(work: Work, value: Value): Iter {
  const found = iterate(work, value)
  if (found === undefined) throw typeError(`'${typeName(value)}' object is not iterable`)
  return found
}

export function overItems(work: Work, items: readonly Value[], type: string): Iter {
  let i = 0
  return new Iter(type, () => {
    work.spend(1)
    return items[i++]
  })
}

export function over(work: Work, values: Iterator<Value, unknown>, type = 'generator'): Iter {
  return new Iter(type, () => {
    work.spend(1)
    const step = values.next()
    return step.done === true ? undefined : step.value
  })
}

function overText(work: Work, text: string): Iter {
  work.scan(text.length)
  const paired = hasSurrogates(text)
  let unit = 0
  return new Iter('str_iterator', () => {
    work.spend(1)
    if (unit >= text.length) return undefined
    const start = unit
    unit += paired && text.codePointAt(unit)! > 0xffff ? 2 : 1
    return text.slice(start, unit)
  })
}

/** list(value). */
export function toItems(work: Work, value: Value): readonly Value[] {
  if (value instanceof List || value instanceof Tuple) {
    work.makeItems(value.items.length)
    return value.items
  }
  const text = textOf(value)
  if (text !== undefined) return characters(work, text)
  const source = iter(work, value)
  const items: Value[] = []
  for (let item = source.next(); item !== undefined; item = source.next()) {
    items.push(item)
    if ((items.length & 1023) === 0) work.makeItems(items.length)
  }
  return items
}

/** What an argument that must be a whole number means as one. */
export function wholeNumber(value: Value): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'bigint') return value > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
  if (value instanceof Undefined) throw value.fault()
  throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`)
}

export function namespaceOf(value: Value): Namespace {
  if (value instanceof Namespace) return value
  throw new Fault('TemplateRuntimeError', 'cannot assign attribute on non-namespace object')
}

/** A number from JavaScript: whole ones are ints, where JSON would not write them with an exponent. */
export function numberFrom(value: number): Value {
  if (Number.isSafeInteger(value)) return value + 0
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? normalInt(BigInt(value)) : new Float(value)
}
