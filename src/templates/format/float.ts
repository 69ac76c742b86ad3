/** Python's texts of floats. Ties are rounded to even, from the exact value, as C's printf does. */

const buffer = new DataView(new ArrayBuffer(8))

/** A finite number as numerator / denominator, both exact. */
function fraction(value: number): [bigint, bigint] {
  buffer.setFloat64(0, value)
  const bits = buffer.getBigUint64(0)
  const exponent = Number((bits >> 52n) & 0x7ffn)
  const mantissa = (bits & 0xfffffffffffffn) | (exponent === 0 ? 0n : 1n << 52n)
  const shift = (exponent === 0 ? 1 : exponent) - 1075
  return shift >= 0 ? [mantissa << BigInt(shift), 1n] : [mantissa, 1n << BigInt(-shift)]
}

function roundedQuotient(a: bigint, b: bigint): bigint {
  const quotient = a / b
  const twice = (a % b) * 2n
  return twice > b || (twice === b && quotient % 2n === 1n) ? quotient + 1n : quotient
}

/** The digits of |value| with so many behind the point. */
function fixedDigits(value: number, precision: number): string {
  const [a, b] = fraction(Math.abs(value))
  const digits = roundedQuotient(a * 10n ** BigInt(precision), b).toString()
  if (precision === 0) return digits
  const padded = digits.padStart(precision + 1, '0')
  return `${padded.slice(0, -precision)}.${padded.slice(-precision)}`
}

/** So many significant digits of |value| and the exponent of the first. */
function significantDigits(value: number, count: number): { digits: string; exponent: number } {
  if (value === 0) return { digits: '0'.repeat(count), exponent: 0 }
  const [a, b] = fraction(Math.abs(value))
  let exponent = Number(Math.abs(value).toExponential().split('e')[1])
  for (;;) {
    const shift = count - 1 - exponent
    const digits = (
      shift >= 0 ? roundedQuotient(a * 10n ** BigInt(shift), b) : roundedQuotient(a, b * 10n ** BigInt(-shift))
    ).toString()
    if (digits.length <= count) return { digits, exponent }
    exponent++
  }
}

export function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0)
}

function special(value: number): string | undefined {
  return Number.isNaN(value) ? 'nan' : Number.isFinite(value) ? undefined : 'inf'
}

function exponentText(exponent: number): string {
  return `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

export type FloatForm = 'e' | 'f' | 'g' | 'r' | 'short'

/**
 * |value| in one of printf's forms e, f and g, in repr's shortest (r, without the final `.0`), or in the one of
 * format() without a letter (short: as g, but a digit stays behind the point). `alternate` keeps the point.
 */
export function unsignedFloat(value: number, form: FloatForm, precision: number, alternate = false): string {
  const name = special(value)
  if (name !== undefined) return name
  if (form === 'f') return fixedDigits(value, precision) + (alternate && precision === 0 ? '.' : '')
  if (form === 'e') {
    const { digits, exponent } = significantDigits(value, precision + 1)
    return withPoint(digits, 1, alternate) + exponentText(exponent)
  }
  const { digits, exponent } = form === 'r' ? shortestDigits(value) : significantDigits(value, Math.max(precision, 1))
  const limit = form === 'r' ? 16 : Math.max(precision, 1) - (form === 'short' ? 1 : 0)
  const kept = alternate ? digits : digits.replace(/0+$/, '') || '0'
  if (exponent < -4 || exponent >= limit) return withPoint(kept, 1, alternate) + exponentText(exponent)
  if (exponent < 0) return withPoint('0'.repeat(-exponent) + kept, 1, alternate)
  return withPoint(kept.padEnd(exponent + 1, '0'), exponent + 1, alternate)
}

function shortestDigits(value: number): { digits: string; exponent: number } {
  const [mantissa, exponent] = Math.abs(value).toExponential().split('e')
  return { digits: mantissa!.replace('.', ''), exponent: Number(exponent) }
}

function withPoint(digits: string, before: number, alternate: boolean): string {
  if (digits.length <= before) return alternate ? `${digits}.` : digits
  return `${digits.slice(0, before)}.${digits.slice(before)}`
}

/** As Python prints a float: 1.0, 1e+16, nan. */
export function floatRepr(value: number): string {
  const text = unsignedFloat(value, 'r', 0)
  const full = /^\d+$/.test(text) ? `${text}.0` : text
  return isNegative(value) && text !== 'nan' ? `-${full}` : full
}

/** Python's round(value, digits) of a float. */
export function roundFloat(value: number, digits: number): number {
  if (!Number.isFinite(value) || digits > 330) return value
  if (digits < -310) return isNegative(value) ? -0 : 0
  const rounded =
    digits >= 0
      ? Number(fixedDigits(value, digits))
      : Number(`${roundedQuotient(...tenfold(fraction(Math.abs(value)), -digits))}e${-digits}`)
  return isNegative(value) ? -rounded : rounded
}

function tenfold([a, b]: [bigint, bigint], digits: number): [bigint, bigint] {
  return [a, b * 10n ** BigInt(digits)]
}
