/** Parsers for texts of the command line and the environment. Each throws an error that says what was expected. */
import { InvalidArgumentError } from 'commander'
import { expectation, type Kind, type OptionRow } from '../../../src/for-apps.ts'

export type Parser<T> = (text: string) => T

/** Parser for an option's kind: same values and same wording as the engine's own check. */
export function ofKind<T>(kind: Kind): Parser<T> {
  if (kind.kind === 'whole' || kind.kind === 'number') return text => numberOf(text, kind) as T
  if (kind.kind === 'choice')
    return text => (kind.of.includes(text) ? (text as T) : reject(`one of ${expectation(kind)}`))
  if (kind.kind === 'text') return text => (text === '' && !kind.empty ? reject('some text') : (text as T))
  throw new Error(`a flag cannot have a value of the kind ${kind.kind}`)
}

function numberOf(text: string, kind: Kind & { kind: 'whole' | 'number' }): number {
  const value = text.trim() === '' ? Number.NaN : Number(text.replaceAll('_', ''))
  const whole = /^[+-]?[\d_]+$/.test(text) && Number.isSafeInteger(value)
  const above = kind.kind === 'number' && kind.above ? value > kind.min : value >= kind.min
  if (!(above && value <= kind.max && (whole || kind.kind === 'number'))) reject(expectation(kind))
  return value
}

/** The values that an option of a choice may have. */
export function choicesOf<T extends string>({ kind }: OptionRow): readonly T[] {
  return kind.kind === 'choice' ? (kind.of as readonly T[]) : []
}

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Parser<number> {
  const expected =
    max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`
  return text => {
    const value = Number(text.replaceAll('_', ''))
    if (!/^[+-]?[\d_]+$/.test(text) || !Number.isSafeInteger(value) || value < min || value > max) reject(expected)
    return value
  }
}

/** Tokens, at least `least`: `4096`, or `4K` and `1M`, powers of 1024 as contexts are named. */
export function tokensFrom(least: number): Parser<number> {
  return text => {
    const [, digits = '', unit = ''] = /^(\d+)([km]?)$/i.exec(text.replaceAll('_', '')) ?? []
    const value = Number(digits) * ({ '': 1, k: 1024, m: 1024 ** 2 }[unit.toLowerCase()] as number)
    if (digits === '' || !Number.isSafeInteger(value) || value < least) {
      reject(`a number of tokens, such as 4096 or 32K, ${least} or more`)
    }
    return value
  }
}

export const tokens = tokensFrom(1)

/** Bytes: `1073741824`, `512MiB`, `2GiB` (powers of 1024) or `2GB` (powers of 1000). */
export const bytes: Parser<number> = text => {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]i?b|b|)$/i.exec(text.replaceAll('_', '')) ?? []
  const power = 'bkmgt'.indexOf(unit.charAt(0).toLowerCase())
  const value = Math.floor(Number(digits) * (/i/i.test(unit) ? 1024 : 1000) ** Math.max(power, 0))
  if (digits === '' || !Number.isSafeInteger(value) || value < 1) reject('a number of bytes, such as 512MiB or 2GB')
  return value
}

/** `0.05` or `5%`. */
export const share: Parser<number> = text => {
  const [, digits = '', percent] = /^(\d+(?:\.\d+)?|\.\d+)\s*(%?)$/.exec(text) ?? []
  if (digits === '') reject('a share, such as 0.05 or 5%')
  return percent ? Number(digits) / 100 : Number(digits)
}

/** Seconds: `90s`, `30m` or `1.5h`. */
export const duration: Parser<number> = text => {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?|\.\d+)\s*([smh])$/i.exec(text) ?? []
  const seconds = Number(digits) * ({ '': 1, s: 1, m: 60, h: 3600 }[unit.toLowerCase()] as number)
  if (digits === '' || !(seconds > 0)) reject('a time, such as 90s, 30m or 1.5h')
  return seconds
}

export function oneOf<T extends string>(values: readonly T[]): Parser<T> {
  return text => values.find(v => v === text) ?? reject(`one of ${values.join(', ')}`)
}

export function list<T>(each: Parser<T>): Parser<T[]> {
  return text => text.split(',').map(part => each(part.trim()))
}

/** Repeatable: `--stop a --stop b`. */
export function collect<T>(each: Parser<T>): (text: string, previous?: T[]) => T[] {
  return (text, previous) => [...(previous ?? []), each(text)]
}

/** `\n` in a shell's quotes is two characters: read it as a line break. */
export const unescaped: Parser<string> = text => {
  if (text === '') reject('some text')
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\' }
  return text.replace(/\\([ntr\\])/g, (_, letter: string) => escapes[letter] as string)
}

/** 1, true, yes, on; 0, false, no, off and nothing. */
export const flag: Parser<boolean> = text => {
  if (/^(1|true|yes|on)$/i.test(text)) return true
  if (/^(0|false|no|off|)$/i.test(text)) return false
  return reject('1 or 0')
}

function reject(expected: string): never {
  throw new InvalidArgumentError(`Expected ${expected}.`)
}
