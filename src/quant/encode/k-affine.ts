/**
 * Super-blocks of 256 whose parts have a small scale and a small offset each: value = d sc q - dmin m. First every
 * part is fitted by itself, then the parts' scales are rounded to the super-block's, then d and dmin are fitted once
 * more to the codes that came out.
 */
import type { BlockEncoder } from './block.ts'
import { putHalf } from './block.ts'
import { type Fit, fitScaleAndOffset } from './fit.ts'

interface Format {
  /** Elements of a part. */
  readonly part: number
  /** Largest code, and largest scale and offset of a part. */
  readonly top: number
  readonly most: number
}

/** The components of a super-block before packing. */
interface SuperBlock {
  readonly codes: Uint8Array
  readonly scales: Uint8Array
  readonly offsets: Uint8Array
}

/** scales[16] (low nibble sc, high m), codes[64], d, dmin. */
export function q2_k(): BlockEncoder {
  return affine({ part: 16, top: 3, most: 15 }, 80, ({ codes, scales, offsets }, bytes, at) => {
    for (let p = 0; p < 16; p++) bytes[at + p] = scales[p]! | (offsets[p]! << 4)
    for (let i = 0; i < 64; i++) {
      const first = (i >> 5) * 128 + (i & 31)
      bytes[at + 16 + i] =
        codes[first]! | (codes[first + 32]! << 2) | (codes[first + 64]! << 4) | (codes[first + 96]! << 6)
    }
  })
}

/** d, dmin, scales[12], codes[128]. */
export function q4_k(): BlockEncoder {
  return affine({ part: 32, top: 15, most: 63 }, 0, (block, bytes, at) => {
    packSixBits(block, bytes, at + 4)
    packNibbles(block.codes, bytes, at + 16)
  })
}

/** d, dmin, scales[12], fifth bits[32], codes[128]. */
export function q5_k(): BlockEncoder {
  return affine({ part: 32, top: 31, most: 63 }, 0, (block, bytes, at) => {
    packSixBits(block, bytes, at + 4)
    packNibbles(block.codes, bytes, at + 48)
    for (let i = 0; i < 32; i++) {
      let fifth = 0
      for (let p = 0; p < 8; p++) fifth |= (block.codes[p * 32 + i]! >> 4) << p
      bytes[at + 16 + i] = fifth
    }
  })
}

function affine(
  { part, top, most }: Format,
  halvesAt: number,
  pack: (block: SuperBlock, bytes: Uint8Array, at: number) => void,
): BlockEncoder {
  const parts = 256 / part
  const block = { codes: new Uint8Array(256), scales: new Uint8Array(parts), offsets: new Uint8Array(parts) }
  const fit: Fit = { scale: 0, offset: 0, error: 0 }
  const trial: Trial = { error: 0, offset: 0 }
  const scales = new Float64Array(parts)
  const offsets = new Float64Array(parts)

  return (x, from, bytes, at) => {
    for (let p = 0; p < parts; p++) {
      fitScaleAndOffset(x, from + p * part, part, top, fit)
      scales[p] = fit.scale
      offsets[p] = -fit.offset
    }
    const d = putHalf(bytes, at + halvesAt, Math.max(...scales) / most)
    const dmin = putHalf(bytes, at + halvesAt + 2, Math.max(...offsets) / most)
    const rounded = (value: number, step: number) => (step > 0 ? Math.min(most, Math.round(value / step)) : 0)
    for (let p = 0; p < parts; p++) {
      const encode = (sc: number, m: number) =>
        encodePart(x, from + p * part, block.codes, p * part, part, d * sc, dmin * m, top, trial)
      let least = Number.POSITIVE_INFINITY
      const consider = (sc: number, m: number) => {
        encode(sc, m)
        if (trial.error >= least) return
        least = trial.error
        block.scales[p] = sc
        block.offsets[p] = m
      }
      // Scale and offset can compensate each other's rounding: try both neighbouring scales, each with its best offset.
      const below = d > 0 ? Math.min(most - 1, Math.floor(scales[p]! / d)) : 0
      for (let sc = below; sc <= below + 1; sc++) {
        consider(sc, rounded(offsets[p]!, dmin))
        consider(sc, rounded(Math.max(0, -trial.offset), dmin))
      }
      encode(block.scales[p]!, block.offsets[p]!)
    }
    refine(x, from, block, part, bytes, at + halvesAt)
    pack(block, bytes, at)
  }
}

/** The result of one choice of a part's scale and offset. */
interface Trial {
  /** Squared error. */
  error: number
  /** The offset that fits the codes best. */
  offset: number
}

function encodePart(
  x: Float32Array,
  from: number,
  codes: Uint8Array,
  to: number,
  count: number,
  scale: number,
  less: number,
  top: number,
  trial: Trial,
): void {
  const inverse = scale > 0 ? 1 / scale : 0
  let sum = 0
  let squares = 0
  for (let i = 0; i < count; i++) {
    const v = x[from + i]!
    const nearest = ((v + less) * inverse + 0.5) | 0
    const code = nearest < 0 ? 0 : nearest > top ? top : nearest
    codes[to + i] = code
    const rest = v - scale * code
    sum += rest
    squares += (rest + less) * (rest + less)
  }
  trial.error = squares
  trial.offset = sum / count
}

/** Least squares of x = d (sc q) - dmin m over the super-block; kept only if both stay positive. */
function refine(
  x: Float32Array,
  from: number,
  { codes, scales, offsets }: SuperBlock,
  part: number,
  bytes: Uint8Array,
  at: number,
): void {
  let [aa, ab, bb, ax, bx] = [0, 0, 0, 0, 0]
  for (let p = 0; p < scales.length; p++) {
    const scale = scales[p]!
    const b = offsets[p]!
    for (let i = p * part; i < (p + 1) * part; i++) {
      const a = scale * codes[i]!
      const v = x[from + i]!
      aa += a * a
      ab += a * b
      ax += a * v
      bx += b * v
    }
    bb += part * b * b
  }
  const spread = aa * bb - ab * ab
  const d = spread > 0 ? (ax * bb - ab * bx) / spread : ax / aa
  const dmin = spread > 0 ? (ax * ab - aa * bx) / spread : 0
  if (!(d > 0) || !(dmin > 0 || spread <= 0)) return
  putHalf(bytes, at, d)
  if (spread > 0) putHalf(bytes, at + 2, dmin)
}

/** Eight pairs of 6 bits in 12 bytes: four whole ones, then nibbles whose upper bits lie above the whole ones. */
function packSixBits({ scales, offsets }: SuperBlock, bytes: Uint8Array, at: number): void {
  for (let p = 0; p < 4; p++) {
    bytes[at + p] = scales[p]! | ((scales[p + 4]! >> 4) << 6)
    bytes[at + 4 + p] = offsets[p]! | ((offsets[p + 4]! >> 4) << 6)
    bytes[at + 8 + p] = (scales[p + 4]! & 15) | ((offsets[p + 4]! & 15) << 4)
  }
}

/** Per 64 elements 32 low nibbles, then 32 high ones. */
function packNibbles(codes: Uint8Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 128; i++) {
    const first = (i >> 5) * 64 + (i & 31)
    bytes[at + i] = (codes[first]! & 15) | ((codes[first + 32]! & 15) << 4)
  }
}
