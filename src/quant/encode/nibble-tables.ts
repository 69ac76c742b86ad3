/** Four-bit codes that index a table of values. */
import { E2M1, IQ4 } from '../decode/nibble-tables.ts'
import { type BlockEncoder, extreme, putHalf } from './block.ts'

/** Number of scales tried: they map the farthest element to positions around the table's first value. */
const STEPS = 10
/** Then rounding and solving alternate. */
const ROUNDS = 2

/** d, codes[16]. */
export function iq4_nl(): BlockEncoder {
  const nearest = nearestOf(IQ4)
  return (x, from, bytes, at) => {
    const far = extreme(x, from, 32)
    let best = 0
    let bestGain = 0
    const consider = (inverse: number) => {
      let xq = 0
      let qq = 0
      for (let i = from; i < from + 32; i++) {
        const v = x[i]!
        const q = IQ4[nearest(v * inverse)]!
        xq += v * q
        qq += q * q
      }
      const gain = (xq * xq) / qq
      if (gain <= bestGain) return
      bestGain = gain
      best = xq / qq
    }
    for (let step = -STEPS; step <= STEPS && far !== 0; step++) consider((IQ4[0]! + step) / far)
    for (let round = 0; round < ROUNDS && best !== 0; round++) consider(1 / best)
    const d = putHalf(bytes, at, best)
    const inverse = d === 0 ? 0 : 1 / d
    for (let i = from; i < from + 16; i++) {
      bytes[at + 2 + i - from] = nearest(x[i]! * inverse) | (nearest(x[i + 16]! * inverse) << 4)
    }
  }
}

/**
 * Exponent byte, codes[16]. OCP's exponent maps the largest element's power of two to the table's (6 = 1.5 * 4), so that
 * larger mantissas saturate; the next exponent saturates nothing but is coarser. The better of the two is used.
 */
export function mxfp4(): BlockEncoder {
  const codes = new Uint8Array(64)
  return (x, from, bytes, at) => {
    const far = Math.abs(extreme(x, from, 32))
    const least = far === 0 ? 0 : Math.max(0, Math.min(253, Math.floor(Math.log2(far)) - 2 + 127))
    const errors = [0, 1].map(more => roundToE2M1(x, from, 2 ** (least + more - 127), codes, 32 * more))
    const more = errors[1]! < errors[0]! ? 1 : 0
    bytes[at] = least + more
    for (let i = 32 * more; i < 32 * more + 16; i++) bytes[at + 1 + (i & 15)] = codes[i]! | (codes[i + 16]! << 4)
  }
}

/** Codes of a block's elements for one scale; returns the squared error. */
function roundToE2M1(x: Float32Array, from: number, scale: number, codes: Uint8Array, to: number): number {
  let error = 0
  for (let i = 0; i < 32; i++) {
    const v = x[from + i]!
    const t = Math.abs(v) / scale
    const magnitude = t <= 2.5 ? halfSteps(t) : t <= 3.5 ? 5 : t <= 5 ? 6 : 7
    codes[to + i] = v < 0 && magnitude > 0 ? magnitude + 8 : magnitude
    const off = t - E2M1[magnitude]! / 2
    error += off * off
  }
  return error * scale * scale
}

/** 0, 0.5, 1, 1.5, 2 for codes 0 to 4. */
function halfSteps(t: number): number {
  return Math.min(4, Math.ceil(2 * t - 0.5))
}

/** Finds the table entry nearest to a number. Entries are integers, so halves separate all neighbours. */
function nearestOf(table: readonly number[]): (t: number) => number {
  const first = 2 * table[0]!
  const last = 2 * table.at(-1)!
  const nearest = Uint8Array.from({ length: last - first + 1 }, (_, i) => {
    const t = (first + i) / 2 + 0.25
    return table.reduce((best, v, code) => (Math.abs(v - t) < Math.abs(table[best]! - t) ? code : best), 0)
  })
  return t => {
    const i = Math.floor(2 * t) - first
    return nearest[i < 0 ? 0 : i >= nearest.length ? nearest.length - 1 : i]!
  }
}
