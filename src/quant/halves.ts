/**
 * Conversions between f64 values and the short floating-point formats. Decoding is exact. Encoding rounds once, to
 * nearest, ties to even, whatever precision the value has.
 *
 * In each of these formats the codes of the non-negative numbers count upwards without a gap, from 0 through the
 * subnormal numbers into the normal ones. Both directions use that.
 */
export interface ShortFloat {
  readonly mantissaBits: number
  /** Exponent of the smallest normal number. */
  readonly minExponent: number
  /** Code of the largest finite number. */
  readonly largest: number
  /** Code for larger magnitudes: infinity, or the largest number if the format has no infinity. */
  readonly overflow: number
  /** A quiet NaN. */
  readonly nan: number
  readonly signBit: number
}

/** IEEE 754 binary16. */
export const F16: ShortFloat = {
  mantissaBits: 10,
  minExponent: -14,
  largest: 0x7bff,
  overflow: 0x7c00,
  nan: 0x7e00,
  signBit: 0x8000,
}

/** The upper half of a binary32. */
export const BF16: ShortFloat = {
  mantissaBits: 7,
  minExponent: -126,
  largest: 0x7f7f,
  overflow: 0x7f80,
  nan: 0x7fc0,
  signBit: 0x8000,
}

/** OCP FP8 E4M3FN (arXiv 2209.05433): no infinity, so that it saturates at 448. */
export const E4M3: ShortFloat = {
  mantissaBits: 3,
  minExponent: -6,
  largest: 0x7e,
  overflow: 0x7e,
  nan: 0x7f,
  signBit: 0x80,
}

export function encode(x: number, format: ShortFloat): number {
  const sign = x < 0 || Object.is(x, -0) ? format.signBit : 0
  if (Number.isNaN(x)) return format.nan
  const magnitude = Math.abs(x)
  if (magnitude === Number.POSITIVE_INFINITY) return sign | format.overflow
  const exponent = Math.max(floorLog2(magnitude), format.minExponent)
  const steps = roundHalfEven(magnitude / 2 ** (exponent - format.mantissaBits))
  // Rounding up to the next power of two gives the first code of the next exponent, as it should.
  const code = steps + (exponent - format.minExponent) * 2 ** format.mantissaBits
  return sign | (code > format.largest ? format.overflow : code)
}

export function decode(code: number, format: ShortFloat): number {
  const sign = code & format.signBit ? -1 : 1
  const magnitude = code & (format.signBit - 1)
  if (magnitude > format.largest) {
    return magnitude === format.overflow ? sign * Number.POSITIVE_INFINITY : Number.NaN
  }
  const binade = 2 ** format.mantissaBits
  const exponentField = Math.floor(magnitude / binade)
  const steps = exponentField === 0 ? magnitude : binade + (magnitude % binade)
  return sign * steps * 2 ** (format.minExponent + Math.max(exponentField - 1, 0) - format.mantissaBits)
}

/** The value of every code, so that decoding a matrix is a table lookup. */
export function decodeTable(format: ShortFloat): Float32Array {
  const { mantissaBits, minExponent, largest, signBit } = format
  const table = new Float32Array(2 * signBit)
  const binade = 2 ** mantissaBits
  for (let first = 0; first < signBit; first += binade) {
    // Numbers of a binade lie equally far apart; subnormal ones as far as those of the first normal binade.
    const step = 2 ** (minExponent + Math.max(first / binade - 1, 0) - mantissaBits)
    const steps = first === 0 ? 0 : binade
    for (let i = 0; i < binade && first + i <= largest; i++) {
      table[first + i] = (steps + i) * step
      table[signBit + first + i] = -(steps + i) * step
    }
  }
  for (let code = largest + 1; code < signBit; code++) {
    table[code] = decode(code, format)
    table[signBit + code] = decode(signBit + code, format)
  }
  return table
}

/** `Math.log2` may be off by one beside a power of two. */
function floorLog2(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY
  const guess = Math.floor(Math.log2(x))
  if (2 ** guess > x) return guess - 1
  return 2 ** (guess + 1) <= x ? guess + 1 : guess
}

function roundHalfEven(x: number): number {
  const up = Math.round(x)
  return up - x === 0.5 && up % 2 === 1 ? up - 1 : up
}
