/**
 * Blocks of 32 with one scale d, and in the `_1` types an offset m: value = d q (+ m). Nibbles: the low ones are
 * elements 0 to 15, the high ones 16 to 31; the fifth bits of q5 lie together in 32 bits of their own.
 */
import { type BlockDecoder, f32, half, u32 } from './block.ts'

export const q8_0: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  for (let i = 0; i < 32; i++) y[to + i] = d * ((bytes[at + 2 + i]! << 24) >> 24)
}

export const q4_0: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 2 + i]!
    y[to + i] = d * ((pair & 15) - 8)
    y[to + 16 + i] = d * ((pair >> 4) - 8)
  }
}

export const q4_1: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  const m = half(bytes, at + 2)
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 4 + i]!
    y[to + i] = f32(d * (pair & 15)) + m
    y[to + 16 + i] = f32(d * (pair >> 4)) + m
  }
}

export const q5_0: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  const fifth = u32(bytes, at + 2)
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 6 + i]!
    y[to + i] = d * (((pair & 15) | bit(fifth, i)) - 16)
    y[to + 16 + i] = d * (((pair >> 4) | bit(fifth, 16 + i)) - 16)
  }
}

export const q5_1: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  const m = half(bytes, at + 2)
  const fifth = u32(bytes, at + 4)
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 8 + i]!
    y[to + i] = f32(d * ((pair & 15) | bit(fifth, i))) + m
    y[to + 16 + i] = f32(d * ((pair >> 4) | bit(fifth, 16 + i))) + m
  }
}

/** Bit i of `bits`, as the fifth bit of a number. */
function bit(bits: number, i: number): number {
  return ((bits >>> i) & 1) << 4
}
