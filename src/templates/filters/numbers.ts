import { Fault, typeError } from '../errors.ts'
import { roundFloat } from '../format/float.ts'
import { formatValue } from '../format/spec.ts'
import { textOf, typeName, wholeNumber } from '../values/inspect.ts'
import { arithmetic, type Int, intOf, isInt, isNumber, negate, normalInt, toFloat, toInt } from '../values/numbers.ts'
import { Float, Undefined, type Value } from '../values/objects.ts'
import { strip } from '../values/text.ts'
import type { Work } from '../work.ts'
import { type Filter, filter } from './host.ts'

/** Most digits of a text that becomes an int, as in Python. */
const MAX_DIGITS = 4300

/** Python's int(text, base); undefined where it raises a ValueError. */
function readInt(work: Work, raw: string, base: number): Int | undefined {
  const text = asciiDigits(work, strip(work, raw, null))
  const found = /^([+-]?)(?:0([xXoObB])_?)?([\da-zA-Z]+(?:_[\da-zA-Z]+)*)$/.exec(text)
  if (found === null || (base !== 0 && (base < 2 || base > 36))) return undefined
  const letter = found[2]?.toLowerCase()
  const named = letter === 'x' ? 16 : letter === 'o' ? 8 : letter === 'b' ? 2 : undefined
  let digits = found[3]!.replaceAll('_', '').toLowerCase()
  let radix = base
  if (named !== undefined && (base === 0 || base === named)) radix = named
  else if (named !== undefined) digits = `0${letter}${digits}`
  else if (base === 0) {
    if (/^0+[1-9]/.test(digits)) return undefined
    radix = 10
  }
  const isPower = (radix & (radix - 1)) === 0
  if (digits.length > MAX_DIGITS && (!isPower || digits.length > MAX_DIGITS * 3)) return undefined
  work.spend(1 + (digits.length >> 4) ** 2)
  let value = 0n
  for (const digit of digits) {
    const weight = Number.parseInt(digit, 36)
    if (weight >= radix) return undefined
    value = value * BigInt(radix) + BigInt(weight)
  }
  return normalInt(found[1] === '-' ? -value : value)
}

/** Digits of all scripts as 0 to 9: each script has its ten in a row. */
function asciiDigits(work: Work, text: string): string {
  work.walk(text.length)
  if (!/[^\0-\x7f]/.test(text)) return text
  return text.replace(/[^\0-\x7f]/gu, character => {
    if (!/^\p{Nd}$/u.test(character)) return character
    let zero = character.codePointAt(0)!
    while (zero > 0 && /^\p{Nd}$/u.test(String.fromCodePoint(zero - 1)) && character.codePointAt(0)! - zero < 9) zero--
    return String(character.codePointAt(0)! - zero)
  })
}

/** Python's float(text); undefined where it raises a ValueError. */
function readFloat(work: Work, raw: string): number | undefined {
  const text = asciiDigits(work, strip(work, raw, null))
  const name = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (name !== null) {
    if (name[2]!.toLowerCase() === 'nan') return Number.NaN
    return name[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  const digits = '\\d+(?:_\\d+)*'
  const form = new RegExp(`^[+-]?(?:${digits}(?:\\.(?:${digits})?)?|\\.${digits})(?:[eE][+-]?${digits})?$`)
  return form.test(text) ? Number(text.replaceAll('_', '')) : undefined
}

function truncated(value: number): Int | undefined {
  if (Number.isNaN(value)) return undefined
  if (!Number.isFinite(value)) throw new Fault('OverflowError', 'cannot convert float infinity to integer')
  return intOf(Math.trunc(value))
}

function int(work: Work, value: Value, standard: Value, base: number): Value {
  if (value instanceof Undefined) throw value.fault()
  if (isInt(value)) return toInt(value)
  if (value instanceof Float) return truncated(value.value) ?? standard
  const text = textOf(value)
  if (text === undefined) return standard
  const whole = readInt(work, text, base)
  if (whole !== undefined) return whole
  const float = readFloat(work, text)
  return float === undefined || !Number.isFinite(float) ? standard : (truncated(float) ?? standard)
}

function float(work: Work, value: Value, standard: Value): Value {
  if (value instanceof Undefined) throw value.fault()
  if (isNumber(value)) return new Float(toFloat(value))
  const text = textOf(value)
  const parsed = text === undefined ? undefined : readFloat(work, text)
  return parsed === undefined ? standard : new Float(parsed)
}

function round(work: Work, value: Value, precision: Value, method: Value): Value {
  if (method !== 'common' && method !== 'ceil' && method !== 'floor') {
    throw new Fault('FilterArgumentError', 'method must be common, ceil or floor')
  }
  if (method === 'common') return roundCommon(work, value, precision)
  if (!isNumber(precision))
    throw typeError(`unsupported operand type(s) for ** or pow(): 'int' and '${typeName(precision)}'`)
  if (!isNumber(value)) {
    if (value instanceof Undefined) throw value.fault()
    throw typeError(`must be real number, not ${typeName(value)}`)
  }
  const scale = arithmetic(work, '**', 10, precision) as Int | Float
  const scaled = arithmetic(work, '*', value, scale) as Int | Float
  const whole =
    scaled instanceof Float ? integral(method === 'ceil' ? Math.ceil(scaled.value) : Math.floor(scaled.value)) : scaled
  return arithmetic(work, '/', whole, scale)
}

function integral(value: number): Int {
  const whole = truncated(value)
  if (whole === undefined) throw new Fault('ValueError', 'cannot convert float NaN to integer')
  return whole
}

function roundCommon(work: Work, value: Value, precision: Value): Value {
  if (!isNumber(value)) throw typeError(`type ${typeName(value)} doesn't define __round__ method`)
  if (precision === null) {
    return value instanceof Float ? integral(roundFloat(value.value, 0)) : toInt(value)
  }
  const digits = wholeNumber(precision)
  work.spend(1 + (Math.min(Math.abs(digits), 400) >> 2))
  if (value instanceof Float) return new Float(roundFloat(value.value, digits))
  const int = toInt(value)
  if (digits >= 0) return int
  if (digits < -5000) return 0
  const unit = 10n ** BigInt(-digits)
  const big = BigInt(int)
  const rest = ((big % unit) + unit) % unit
  const down = big - rest
  const up = rest * 2n > unit || (rest * 2n === unit && (down / unit) % 2n !== 0n)
  return normalInt(up ? down + unit : down)
}

function fileSize(work: Work, value: Value, binary: boolean): string {
  const bytes = (float(work, value, null) as Float | null)?.value
  if (bytes === undefined)
    throw new Fault(
      'ValueError',
      `could not convert string to float: '${String(textOf(value) ?? typeName(value)).slice(0, 80)}'`,
    )
  const base = binary ? 1024 : 1000
  if (bytes === 1) return '1 Byte'
  if (bytes < base) return `${String(truncated(bytes))} Bytes`
  const prefixes = [...'KMGTPEZY'].map(letter => (binary ? `${letter}iB` : `${letter === 'K' ? 'k' : letter}B`))
  let unit = base
  for (const prefix of prefixes) {
    unit *= base
    if (bytes < unit || prefix === prefixes.at(-1))
      return `${formatValue(work, new Float((base * bytes) / unit), '.1f')} ${prefix}`
  }
  throw new Fault('ValueError', 'not a size')
}

/** The filters over numbers. */
export const numberFilters: readonly [string, Filter][] = [
  filter('abs', '', (_, value) => {
    if (!isNumber(value)) throw typeError(`bad operand type for abs(): '${typeName(value)}'`)
    if (value instanceof Float) return new Float(Math.abs(value.value))
    return toInt(value) < 0 ? negate(value) : toInt(value)
  }),
  filter('int', 'default= base=', ({ work }, value, standard = 0, base = 10) =>
    int(work, value, standard, wholeNumber(base)),
  ),
  filter('float', 'default=', ({ work }, value, standard = new Float(0)) => float(work, value, standard)),
  filter('round', 'precision= method=', ({ work }, value, precision = 0, method = 'common') =>
    round(work, value, precision, method),
  ),
  filter('filesizeformat', 'binary=', ({ work }, value, binary = false) => fileSize(work, value, Boolean(binary))),
]
