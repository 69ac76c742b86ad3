import { decodeTable, F16 } from '../halves.ts'

/**
 * Decodes one block: its bytes begin at `at`, its values go to y[to] and on. Every product and every sum is rounded
 * to f32, in the order of ggml's own arithmetic, so that the values are the same to the last bit.
 */
export type BlockDecoder = (bytes: Uint8Array, at: number, y: Float32Array, to: number) => void

/** Value of every f16 code. */
export const HALVES = decodeTable(F16)

export function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8)
}

export function u32(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0
}

export function half(bytes: Uint8Array, at: number): number {
  return HALVES[u16(bytes, at)]!
}

export const f32 = Math.fround
