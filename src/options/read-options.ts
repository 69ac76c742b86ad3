/** Reads options from untyped callers: each value is read once, checked and copied before any work begins. */
import { OptionError } from '../errors.ts'
import { expectation, type Kind, type OptionRow, type OptionRows } from './kinds.ts'
import { nearest } from './nearest.ts'
import { plainData, readable } from './plain-data.ts'
import { show } from './show.ts'

/** Longest list. */
const MAX_ITEMS = 1_000_000

/**
 * The options given to the function `what`, without those that are undefined. Throws OptionError for a name that is not
 * in the table, for a value that is not of its kind, and for a value that cannot be read.
 */
export function readOptions<T extends object>(table: OptionRows, what: string, given: unknown): T {
  if (given === undefined) return {} as T
  return readable(`The options of ${what}`, () => {
    if (!isObject(given)) throw new OptionError(`The options of ${what} are ${show(given)}; expected an object`)
    return readFields(table, given, what, '') as T
  })
}

/** Reads a single argument, such as a count. */
export function readArgument<T>(kind: Kind, name: string, value: unknown): T {
  return readable(name, () => readValue(kind, value, name)) as T
}

function readFields(rows: OptionRows, given: object, what: string, prefix: string): object {
  const read: [string, unknown][] = []
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(rows, key)) throw unknownOption(what, key, Object.keys(rows))
    const value: unknown = Reflect.get(given, key)
    if (value !== undefined) read.push([key, readValue((rows[key] as OptionRow).kind, value, prefix + key)])
  }
  return Object.fromEntries(read)
}

function unknownOption(what: string, key: string, names: readonly string[]): OptionError {
  const meant = nearest(key, names)
  const remedy = meant === undefined ? `expected ${names.join(', ')}` : `did you mean ${meant}?`
  return new OptionError(`${what} has no option ${/^[\w$]{1,60}$/.test(key) ? key : show(key)}; ${remedy}`)
}

/** Throws OptionError with the place, the value and what was expected. */
function readValue(kind: Kind, value: unknown, name: string): unknown {
  if (!fits(kind, value)) throw new OptionError(`${name} is ${show(value)}; expected ${expectation(kind)}`)
  switch (kind.kind) {
    case 'schema':
      return isLibrarySchema(value) ? value : plainData(value, name)
    case 'data':
    case 'fields':
      return plainData(value, name)
    case 'list': {
      const { length } = value as readonly unknown[]
      if (length > MAX_ITEMS) throw new OptionError(`${name} has ${length} entries; expected at most ${MAX_ITEMS}`)
      return Array.from({ length }, (_, i) => readValue(kind.of, (value as readonly unknown[])[i], `${name}[${i}]`))
    }
    case 'options':
      return readFields(kind.of, value as object, name, `${name}.`)
    case 'biases':
      return readBiases(value as object, name, kind.texts)
    default:
      return value
  }
}

/** Checks the value itself, not the entries of a list or an object. */
function fits(kind: Kind, value: unknown): boolean {
  switch (kind.kind) {
    case 'whole':
      return Number.isSafeInteger(value) && (value as number) >= kind.min && (value as number) <= kind.max
    case 'number':
      return typeof value === 'number' && value >= kind.min && value <= kind.max && !(kind.above && value === kind.min)
    case 'flag':
      return typeof value === 'boolean'
    case 'function':
      return typeof value === 'function'
    case 'signal':
      return isSignal(value)
    case 'text':
      return typeof value === 'string' && (kind.empty || value !== '')
    case 'choice':
      return kind.of.includes(value as string)
    case 'list':
      return Array.isArray(value)
    case 'expression':
      return value instanceof RegExp || (typeof value === 'string' && value !== '')
    case 'schema':
      return typeof value === 'boolean' || isObject(value) || isLibrarySchema(value)
    case 'fields':
    case 'options':
    case 'biases':
      // Its entries are no properties: it would be read as empty.
      return isObject(value) && !(value instanceof Map)
    case 'data':
      return true
  }
}

function readBiases(value: object, name: string, texts: boolean): object {
  const keys = Object.keys(value)
  if (keys.length > MAX_ITEMS)
    throw new OptionError(`${name} has ${keys.length} entries; expected at most ${MAX_ITEMS}`)
  const pairs = keys.map(key => {
    const isId = /^\d+$/.test(key) && Number.isSafeInteger(Number(key))
    if (!isId && !(texts && key !== '' && !/^-?\d+$/.test(key))) {
      throw new OptionError(`${name} has the key ${show(key)}; expected a token id${texts ? ' or its text' : ''}`)
    }
    const bias: unknown = Reflect.get(value, key)
    const good = typeof bias === 'number' && (bias === Number.NEGATIVE_INFINITY || (bias >= -100 && bias <= 100))
    if (!good) throw new OptionError(`${name}[${key}] is ${show(bias)}; expected -100 to 100, or -Infinity`)
    return [key, bias]
  })
  return Object.fromEntries(pairs)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Standard Schema: an object, or a function that is one (ArkType). */
function isLibrarySchema(value: unknown): boolean {
  return (isObject(value) || typeof value === 'function') && '~standard' in value
}

/** By its members: an AbortSignal of another realm or a polyfill is accepted too. */
function isSignal(value: unknown): boolean {
  if (!isObject(value)) return false
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>
  return (
    typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  )
}
