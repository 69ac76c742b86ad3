import { ConfigError } from '../errors.ts'
import { quote } from './quote.ts'

export interface IntOptions {
  /** Smallest allowed value. Default 0. */
  readonly min?: number
  /** Largest allowed value. Default 2^53 - 1. */
  readonly max?: number
  /** Used if the key is absent or null; without a default, absence is an error. */
  readonly default?: number
}

export interface NumberOptions {
  /** Smallest allowed value. Default: none. */
  readonly min?: number
  /** Largest allowed value. Default: none. */
  readonly max?: number
  /** Refuses `min` itself: for divisors and bases that must not be 0. Default false. */
  readonly exclusiveMin?: boolean
  readonly default?: number
}

export interface ListOptions {
  /** The exact number of elements. */
  readonly length?: number
}

type Range = Omit<NumberOptions, 'default'>

/**
 * Reads and checks the fields of an untrusted config.json. `null` counts as absent, as in files that transformers
 * writes; an integer may be written as 3.0; only own keys count. Any other value than the requested kind is a
 * ConfigError that names the file, the key, the value and what was expected.
 */
export class ConfigReader {
  readonly file: string
  /** Keys from the top of the file to this object, for messages; '' at the top. */
  readonly path: string
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(raw: unknown, file: string, path = '') {
    if (!isObject(raw)) {
      const where = path === '' ? 'the file' : `"${path}"`
      throw new ConfigError(`${file}: ${where} is ${describe(raw)}; expected a JSON object`)
    }
    this.file = file
    this.path = path
    this.#fields = raw
  }

  /** Whether the key is present and not null. */
  has(key: string): boolean {
    return this.raw(key) !== undefined
  }

  /** The unchecked value; undefined if absent or null. */
  raw(key: string): unknown {
    return Object.hasOwn(this.#fields, key) ? (this.#fields[key] ?? undefined) : undefined
  }

  /** The same file with these fields where it has none of them, or null. */
  withDefaults(fields: Readonly<Record<string, unknown>>): ConfigReader {
    const absent = Object.entries(fields).filter(([key]) => this.raw(key) === undefined)
    return new ConfigReader({ ...this.#fields, ...Object.fromEntries(absent) }, this.file)
  }

  keys(): string[] {
    return Object.keys(this.#fields)
  }

  int(key: string, options: IntOptions = {}): number {
    return this.optionalInt(key, options) ?? options.default ?? this.missing(key, expectedInt(options))
  }

  /** Undefined if absent or null; has no default. */
  optionalInt(key: string, options: Omit<IntOptions, 'default'> = {}): number | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    return isInt(value, options) ? value : this.fail(key, expectedInt(options))
  }

  number(key: string, options: NumberOptions = {}): number {
    return this.optionalNumber(key, options) ?? options.default ?? this.missing(key, expectedNumber(options))
  }

  optionalNumber(key: string, options: Range = {}): number | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    return isNumber(value, options) ? value : this.fail(key, expectedNumber(options))
  }

  bool(key: string, options: { readonly default?: boolean } = {}): boolean {
    return this.optionalBool(key) ?? options.default ?? this.missing(key, 'true or false')
  }

  optionalBool(key: string): boolean | undefined {
    const value = this.raw(key)
    if (value === undefined || typeof value === 'boolean') return value
    return this.fail(key, 'true or false')
  }

  string(key: string, options: { readonly default?: string } = {}): string {
    return this.optionalString(key) ?? options.default ?? this.missing(key, 'a string')
  }

  optionalString(key: string): string | undefined {
    const value = this.raw(key)
    if (value === undefined || typeof value === 'string') return value
    return this.fail(key, 'a string')
  }

  oneOf<T extends string>(key: string, values: readonly T[], options: { readonly default?: T } = {}): T {
    return this.optionalOneOf(key, values) ?? options.default ?? this.missing(key, expectedOneOf(values))
  }

  optionalOneOf<T extends string>(key: string, values: readonly T[]): T | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    return values.find(v => v === value) ?? this.fail(key, expectedOneOf(values))
  }

  /** A list of integers, each within the range. */
  ints(key: string, options: Omit<IntOptions, 'default'> & ListOptions = {}): number[] {
    return this.optionalInts(key, options) ?? this.missing(key, expectedList(options, expectedInt(options)))
  }

  optionalInts(key: string, options: Omit<IntOptions, 'default'> & ListOptions = {}): number[] | undefined {
    return this.#list(key, options, expectedInt(options), (v): v is number => isInt(v, options))
  }

  /** A list of finite numbers, each within the range. */
  numbers(key: string, options: Range & ListOptions = {}): number[] {
    return this.optionalNumbers(key, options) ?? this.missing(key, expectedList(options, expectedNumber(options)))
  }

  optionalNumbers(key: string, options: Range & ListOptions = {}): number[] | undefined {
    return this.#list(key, options, expectedNumber(options), (v): v is number => isNumber(v, options))
  }

  strings(key: string, options: ListOptions = {}): string[] {
    return this.optionalStrings(key, options) ?? this.missing(key, expectedList(options, 'a string'))
  }

  optionalStrings(key: string, options: ListOptions = {}): string[] | undefined {
    return this.#list(key, options, 'a string', (v): v is string => typeof v === 'string')
  }

  /** The object under the key. Absence is an error: an empty object in its place would hide a missing field. */
  object(key: string): ConfigReader {
    return this.optionalObject(key) ?? this.missing(key, 'a JSON object')
  }

  optionalObject(key: string): ConfigReader | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    return isObject(value) ? new ConfigReader(value, this.file, this.#name(key)) : this.fail(key, 'a JSON object')
  }

  /** Throws the error for a wrong value: for checks beyond those of this class. */
  fail(key: string, expected: string): never {
    throw new ConfigError(`${this.file}: "${this.#name(key)}" is ${describe(this.raw(key))}; expected ${expected}`)
  }

  /** Throws the error for a required field that is absent. */
  missing(key: string, expected: string): never {
    throw new ConfigError(`${this.file}: "${this.#name(key)}" is missing; expected ${expected}`)
  }

  #name(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  #list<T>(key: string, options: ListOptions, each: string, test: (v: unknown) => v is T): T[] | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    if (!Array.isArray(value) || (options.length !== undefined && value.length !== options.length)) {
      this.fail(key, expectedList(options, each))
    }
    return value.map((v: unknown, i) => {
      if (test(v)) return v
      throw new ConfigError(`${this.file}: "${this.#name(key)}[${i}]" is ${describe(v)}; expected ${each}`)
    })
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isInt(value: unknown, options: IntOptions): value is number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
}

function isNumber(value: unknown, { min = -Infinity, max = Infinity, exclusiveMin = false }: Range): value is number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false
  return (exclusiveMin ? value > min : value >= min) && value <= max
}

function expectedInt({ min = 0, max }: IntOptions): string {
  return max === undefined ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`
}

function expectedNumber({ min, max, exclusiveMin = false }: Range): string {
  const bounds = []
  if (min !== undefined) bounds.push(exclusiveMin ? `above ${min}` : `of at least ${min}`)
  if (max !== undefined) bounds.push(`of at most ${max}`)
  return bounds.length === 0 ? 'a finite number' : `a finite number ${bounds.join(' and ')}`
}

function expectedOneOf(values: readonly string[]): string {
  return `one of ${values.map(v => `"${v}"`).join(', ')}`
}

function expectedList({ length }: ListOptions, each: string): string {
  return `a list${length === undefined ? '' : ` of length ${length}`}, each element ${each}`
}

/** A short description of any value: messages must stay on one line. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'string') return quote(value, 60)
  if (typeof value === 'object' && value !== null) return 'an object'
  return value === undefined ? 'missing' : String(value)
}
