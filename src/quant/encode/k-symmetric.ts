/**
 * Super-blocks of 256 whose 16 parts have a small signed scale each: value = d sc q. Parts are fitted one by one, their
 * scales rounded to the super-block's, and d is fitted once more to the codes that came out.
 */
import { type BlockEncoder, extreme, putHalf } from './block.ts'
import { type Fit, fitScale } from './fit.ts'

const PARTS = 16
const PART = 16

/** third bits[32], codes[64], scales[12] (16 of 6 bits, plus 32), d. */
export function q3_k(): BlockEncoder {
  return symmetric(4, 32, 108, (codes, scales, bytes, at) => {
    for (let i = 0; i < 32; i++) {
      let third = 0
      for (let p = 0; p < 8; p++) third |= (codes[p * 32 + i]! >> 2) << p
      bytes[at + i] = third
    }
    for (let i = 0; i < 64; i++) {
      const first = (i >> 5) * 128 + (i & 31)
      const two = (k: number) => codes[first + 32 * k]! & 3
      bytes[at + 32 + i] = two(0) | (two(1) << 2) | (two(2) << 4) | (two(3) << 6)
    }
    const raised = (p: number) => scales[p]! + 32
    for (let i = 0; i < 8; i++) bytes[at + 96 + i] = (raised(i) & 15) | ((raised(i + 8) & 15) << 4)
    for (let i = 0; i < 4; i++) {
      const top = (k: number) => raised(i + 4 * k) >> 4
      bytes[at + 104 + i] = top(0) | (top(1) << 2) | (top(2) << 4) | (top(3) << 6)
    }
  })
}

/** low nibbles[128], upper two bits[64], scales i8[16], d. */
export function q6_k(): BlockEncoder {
  return symmetric(32, 128, 208, (codes, scales, bytes, at) => {
    for (let h = 0; h < 2; h++) {
      for (let i = 0; i < 32; i++) {
        const code = (quarter: number) => codes[h * 128 + quarter * 32 + i]!
        const low = at + h * 64 + i
        bytes[low] = (code(0) & 15) | ((code(2) & 15) << 4)
        bytes[low + 32] = (code(1) & 15) | ((code(3) & 15) << 4)
        bytes[at + 128 + h * 32 + i] =
          (code(0) >> 4) | ((code(1) >> 4) << 2) | ((code(2) >> 4) << 4) | ((code(3) >> 4) << 6)
      }
    }
    for (let p = 0; p < PARTS; p++) bytes[at + 192 + p] = scales[p]!
  })
}

/** Codes from -half to half - 1, packed with `half` added; scales from -most to most - 1. */
function symmetric(
  half: number,
  most: number,
  dAt: number,
  pack: (codes: Uint8Array, scales: Int16Array, bytes: Uint8Array, at: number) => void,
): BlockEncoder {
  const codes = new Uint8Array(256)
  const fit: Fit = { scale: 0, offset: 0, error: 0 }
  const fitted = new Float32Array(PARTS)
  const scales = new Int16Array(PARTS)
  return (x, from, bytes, at) => {
    for (let p = 0; p < PARTS; p++) {
      fitScale(x, from + p * PART, PART, half, fit)
      fitted[p] = fit.scale
    }
    const d = putHalf(bytes, at + dAt, extreme(fitted, 0, PARTS) / -most)
    const encode = (p: number, scale: number) => encodePart(x, from + p * PART, codes, p * PART, d * scale, half)
    for (let p = 0; p < PARTS; p++) {
      const below = d === 0 ? 0 : Math.max(-most, Math.min(most - 2, Math.floor(fitted[p]! / d)))
      const [error, other] = [encode(p, below), encode(p, below + 1)]
      scales[p] = error <= other ? below : below + 1
      if (error <= other) encode(p, below)
    }
    const refined = bestScale(x, from, codes, scales, half)
    if (refined !== 0) putHalf(bytes, at + dAt, refined)
    pack(codes, scales, bytes, at)
  }
}

/** Returns the squared error. */
function encodePart(x: Float32Array, from: number, codes: Uint8Array, to: number, scale: number, half: number): number {
  const inverse = scale === 0 ? 0 : 1 / scale
  const top = 2 * half - 1
  let squares = 0
  for (let i = 0; i < PART; i++) {
    const v = x[from + i]!
    const nearest = (v * inverse + half + 0.5) | 0
    const code = nearest < 0 ? 0 : nearest > top ? top : nearest
    codes[to + i] = code
    const rest = v - scale * (code - half)
    squares += rest * rest
  }
  return squares
}

/** Least squares of x = d (sc q); 0 where all products are. */
function bestScale(x: Float32Array, from: number, codes: Uint8Array, scales: Int16Array, half: number): number {
  let [ax, aa] = [0, 0]
  for (let i = 0; i < 256; i++) {
    const a = scales[i >> 4]! * (codes[i]! - half)
    ax += a * x[from + i]!
    aa += a * a
  }
  return aa > 0 ? ax / aa : 0
}
