/**
 * Blocks of 32 with one scale. The method is ggml's, in its f32 arithmetic, so that the bytes are the same: the scale
 * maps the farthest element (in the `_1` types the span) onto the outermost code.
 */
import { f32 } from '../decode/block.ts'
import { type BlockEncoder, extreme, putHalf } from './block.ts'

export const q8_0: BlockEncoder = (x, from, bytes, at) => {
  const d = f32(Math.abs(extreme(x, from, 32)) / 127)
  const inverse = d ? f32(1 / d) : 0
  putHalf(bytes, at, d)
  for (let i = 0; i < 32; i++) {
    const t = f32(x[from + i]! * inverse)
    bytes[at + 2 + i] = t < 0 ? t - 0.5 : t + 0.5 // to the nearest, halves away from zero
  }
}

export const q4_0: BlockEncoder = (x, from, bytes, at) => {
  const d = f32(extreme(x, from, 32) / -8)
  const inverse = d ? f32(1 / d) : 0
  putHalf(bytes, at, d)
  for (let i = 0; i < 16; i++) {
    const low = around(x[from + i]!, inverse, 8, 15)
    bytes[at + 2 + i] = low | (around(x[from + 16 + i]!, inverse, 8, 15) << 4)
  }
}

export const q5_0: BlockEncoder = (x, from, bytes, at) => {
  const d = f32(extreme(x, from, 32) / -16)
  const inverse = d ? f32(1 / d) : 0
  putHalf(bytes, at, d)
  bytes.fill(0, at + 2, at + 6)
  for (let i = 0; i < 16; i++) {
    const low = around(x[from + i]!, inverse, 16, 31)
    putFiveBits(bytes, at + 2, i, low, around(x[from + 16 + i]!, inverse, 16, 31))
  }
}

export const q4_1: BlockEncoder = (x, from, bytes, at) => {
  const { min, inverse } = putSpan(x, from, bytes, at, 15)
  for (let i = 0; i < 16; i++) {
    const low = above(x[from + i]!, min, inverse, 15)
    bytes[at + 4 + i] = low | (above(x[from + 16 + i]!, min, inverse, 15) << 4)
  }
}

export const q5_1: BlockEncoder = (x, from, bytes, at) => {
  const { min, inverse } = putSpan(x, from, bytes, at, 31)
  bytes.fill(0, at + 4, at + 8)
  for (let i = 0; i < 16; i++) {
    const low = above(x[from + i]!, min, inverse, 31)
    putFiveBits(bytes, at + 4, i, low, above(x[from + 16 + i]!, min, inverse, 31))
  }
}

/** Writes scale and offset so that codes 0 and `top` stand for the smallest and the largest element. */
function putSpan(x: Float32Array, from: number, bytes: Uint8Array, at: number, top: number) {
  let min = x[from]!
  let max = min
  for (let i = 1; i < 32; i++) {
    const v = x[from + i]!
    if (v < min) min = v
    if (v > max) max = v
  }
  const d = f32(f32(max - min) / top)
  putHalf(bytes, at, d)
  putHalf(bytes, at + 2, min)
  return { min, inverse: d ? f32(1 / d) : 0 }
}

function around(v: number, inverse: number, zero: number, top: number): number {
  return Math.min(top, f32(f32(v * inverse) + (zero + 0.5)) | 0)
}

function above(v: number, min: number, inverse: number, top: number): number {
  return Math.min(top, f32(f32(f32(v - min) * inverse) + 0.5) | 0)
}

/** Elements i and 16 + i: nibbles behind the four bytes of fifth bits, which begin at `fifth`. */
function putFiveBits(bytes: Uint8Array, fifth: number, i: number, low: number, high: number): void {
  bytes[fifth + 4 + i] = (low & 15) | ((high & 15) << 4)
  const bit = i & 7
  const byte = fifth + (i >> 3)
  bytes[byte] = bytes[byte]! | ((low >> 4) << bit)
  bytes[byte + 2] = bytes[byte + 2]! | ((high >> 4) << bit)
}
