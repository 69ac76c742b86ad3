import { typeError, valueError } from '../errors.ts'
import { compare, MAX_NESTING } from '../values/compare.ts'
import { textOf, typeName } from '../values/inspect.ts'
import { isInt } from '../values/numbers.ts'
import { Dict, Float, List, Tuple, type Value } from '../values/objects.ts'
import { sortItems } from '../values/sort.ts'
import type { Work } from '../work.ts'
import { floatRepr } from './float.ts'
import { intText } from './print.ts'

export interface JsonForm {
  readonly ascii: boolean
  /** What one level is indented by; undefined: all in one line. */
  readonly indent: string | undefined
  readonly itemSeparator: string
  readonly keySeparator: string
  readonly sortKeys: boolean
}

/** Python's json.dumps(value). */
export function toJson(work: Work, value: Value, form: JsonForm): string {
  const writer = new JsonWriter(work, form)
  writer.write(value, 0)
  return writer.text
}

class JsonWriter {
  readonly #work: Work
  readonly #form: JsonForm
  text = ''

  constructor(work: Work, form: JsonForm) {
    this.#work = work
    this.#form = form
  }

  #add(part: string): void {
    this.#work.makeText(part.length)
    this.text += part
    this.#work.checkLength(this.text.length)
  }

  write(value: Value, depth: number): void {
    if (depth > MAX_NESTING) throw valueError('a value nests too deeply to be written as JSON')
    const text = textOf(value)
    if (text !== undefined) this.#add(this.#quoted(text))
    else if (value instanceof List || value instanceof Tuple) this.#list(value.items, depth)
    else if (value instanceof Dict) this.#dict(value, depth)
    else {
      const plain = scalar(this.#work, value)
      if (plain === undefined) throw typeError(`Object of type ${typeName(value)} is not JSON serializable`)
      this.#add(plain)
    }
  }

  #list(items: readonly Value[], depth: number): void {
    if (items.length === 0) {
      this.#add('[]')
      return
    }
    this.#add('[')
    items.forEach((item, i) => {
      this.#separate(i, depth + 1)
      this.write(item, depth + 1)
    })
    this.#close(']', depth)
  }

  #dict(dict: Dict, depth: number): void {
    if (dict.entries.size === 0) {
      this.#add('{}')
      return
    }
    this.#add('{')
    let pairs: readonly (readonly [Value, Value])[] = [...dict.entries.values()]
    this.#work.makeItems(pairs.length)
    if (this.#form.sortKeys) pairs = sortItems(pairs, ([a], [b]) => compare(this.#work, a, b))
    pairs.forEach(([key, value], i) => {
      this.#separate(i, depth + 1)
      const name = textOf(key) ?? scalar(this.#work, key)
      if (name === undefined) {
        throw typeError(`keys must be str, int, float, bool or None, not ${typeName(key)}`)
      }
      this.#add(this.#quoted(name))
      this.#add(this.#form.keySeparator)
      this.write(value, depth + 1)
    })
    this.#close('}', depth)
  }

  #separate(i: number, depth: number): void {
    if (i > 0) this.#add(this.#form.itemSeparator)
    this.#break(depth)
  }

  #close(bracket: string, depth: number): void {
    this.#break(depth)
    this.#add(bracket)
  }

  #break(depth: number): void {
    const { indent } = this.#form
    if (indent === undefined) return
    this.#work.makeText(indent.length * depth)
    this.#add(`\n${indent.repeat(depth)}`)
  }

  #quoted(text: string): string {
    this.#work.walk(text.length)
    // Python leaves a lone surrogate as it is; JavaScript escapes it.
    const json = LONE.test(text) ? `"${text.split(LONE).map(jsonPart).join('')}"` : JSON.stringify(text)
    return this.#form.ascii ? json.replace(/[\x7f-\uffff]/g, escapeUnit) : json
  }
}

const LONE = /(\p{Cs})/u

function jsonPart(part: string): string {
  return LONE.test(part) ? part : JSON.stringify(part).slice(1, -1)
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function scalar(work: Work, value: Value): string | undefined {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return String(value)
  if (value instanceof Float) {
    return floatRepr(value.value).replace('inf', 'Infinity').replace('nan', 'NaN')
  }
  return isInt(value) ? intText(work, value as number | bigint) : undefined
}
