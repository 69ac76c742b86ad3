import { CheckpointError } from '../../errors.ts'
import { quote } from '../quote.ts'
import type { MetadataValue } from './metadata-values.ts'

export interface IntRange {
  /** Smallest allowed value. Default 0. */
  readonly min?: number
  /** Largest allowed value. Default 2^53 - 1. */
  readonly max?: number
}

export interface NumberRange {
  /** Allowed values are greater. Default: any. */
  readonly above?: number
  /** Largest allowed value. Default: any. */
  readonly max?: number
}

/**
 * The key-value pairs of a GGUF file. A value of the wrong type or out of range is a CheckpointError naming the file,
 * the key, what was met and what was expected. `{arch}` in a key stands for the architecture.
 */
export class Metadata {
  readonly file: string
  readonly #values: ReadonlyMap<string, MetadataValue>

  constructor(values: ReadonlyMap<string, MetadataValue>, file: string) {
    this.#values = values
    this.file = file
  }

  get architecture(): string {
    return this.string('general.architecture')
  }

  has(key: string): boolean {
    return this.#values.has(this.#full(key))
  }

  keys(): string[] {
    return [...this.#values.keys()]
  }

  raw(key: string): MetadataValue | undefined {
    return this.#values.get(this.#full(key))
  }

  int(key: string, range: IntRange = {}): number {
    return this.optionalInt(key, range) ?? this.missing(key, expectedInt(range))
  }

  optionalInt(key: string, range: IntRange = {}): number | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    return toInt(value, range) ?? this.fail(key, expectedInt(range))
  }

  /** One integer, or the one that all elements of an array are: some keys may be given layer by layer. */
  optionalSameInt(key: string, range: IntRange = {}): number | undefined {
    const value = this.raw(key)
    if (!isArray(value)) return this.optionalInt(key, range)
    const all = this.optionalInts(key, range) ?? []
    const same = all.length > 0 && all.every(v => v === all[0])
    return same ? all[0] : this.fail(key, `${expectedInt(range)}, or a list that repeats one`)
  }

  number(key: string, range: NumberRange = {}): number {
    return this.optionalNumber(key, range) ?? this.missing(key, expectedNumber(range))
  }

  optionalNumber(key: string, range: NumberRange = {}): number | undefined {
    const { above = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = range
    const value = this.raw(key)
    if (value === undefined) return undefined
    const number = typeof value === 'bigint' ? Number(value) : value
    const good = typeof number === 'number' && Number.isFinite(number) && number > above && number <= max
    return good ? number : this.fail(key, expectedNumber(range))
  }

  optionalBool(key: string): boolean | undefined {
    const value = this.raw(key)
    return value === undefined || typeof value === 'boolean' ? value : this.fail(key, 'a boolean')
  }

  string(key: string): string {
    return this.optionalString(key) ?? this.missing(key, 'a string')
  }

  optionalString(key: string): string | undefined {
    const value = this.raw(key)
    return value === undefined || typeof value === 'string' ? value : this.fail(key, 'a string')
  }

  strings(key: string): readonly string[] {
    return this.optionalStrings(key) ?? this.missing(key, 'an array of strings')
  }

  optionalStrings(key: string): readonly string[] | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    const strings = Array.isArray(value) && (value.length === 0 || typeof value[0] === 'string')
    return strings ? (value as string[]) : this.fail(key, 'an array of strings')
  }

  /** `length`: exactly so many. */
  optionalInts(key: string, { length, ...range }: IntRange & { readonly length?: number } = {}): number[] | undefined {
    const expected = `an array${length === undefined ? '' : ` of length ${length}`}, each element ${expectedInt(range)}`
    const numbers = this.#numbers(key, length, expected)
    return numbers?.map(v => toInt(v, range) ?? this.fail(key, expected))
  }

  optionalNumbers(key: string, { length }: { readonly length?: number } = {}): number[] | undefined {
    const expected = `an array${length === undefined ? '' : ` of length ${length}`} of numbers`
    return this.#numbers(key, length, expected)?.map(Number)
  }

  /** Throws the error for a value that is there but wrong. */
  fail(key: string, expected: string): never {
    throw new CheckpointError(
      `${this.file}: key ${quote(this.#full(key))} is ${describe(this.raw(key))}; expected ${expected}`,
    )
  }

  missing(key: string, expected: string): never {
    throw new CheckpointError(`${this.file}: key ${quote(this.#full(key))} is missing; expected ${expected}`)
  }

  #numbers(key: string, length: number | undefined, expected: string): (number | bigint)[] | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    const numbers = isArray(value) && typeof value[0] !== 'string' ? (value as ArrayLike<number | bigint>) : undefined
    if (numbers === undefined || (length !== undefined && numbers.length !== length)) this.fail(key, expected)
    return Array.from(numbers)
  }

  #full(key: string): string {
    return key.startsWith('{arch}') ? this.architecture + key.slice('{arch}'.length) : key
  }
}

function isArray(value: MetadataValue | undefined): value is readonly string[] | ArrayLike<number | bigint> {
  return typeof value === 'object'
}

/** Files write integers in whatever type was at hand; 3.0 is not one of them. */
function toInt(value: MetadataValue, { min = 0, max = Number.MAX_SAFE_INTEGER }: IntRange): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) return undefined
  return number >= min && number <= max ? number : undefined
}

function expectedInt({ min = 0, max }: IntRange): string {
  return max === undefined ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`
}

function expectedNumber({ above, max }: NumberRange): string {
  const bounds = [above !== undefined && `above ${above}`, max !== undefined && `of at most ${max}`].filter(Boolean)
  return ['a finite number', bounds.join(' and ')].filter(Boolean).join(' ')
}

function describe(value: MetadataValue | undefined): string {
  if (typeof value === 'string') return quote(value, 60)
  return isArray(value) ? `an array of ${value.length}` : String(value)
}
