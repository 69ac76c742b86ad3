/**
 * Groups of eight values from a list of 2048 patterns of -1, 0, 1, all moved by an eighth up or down: value =
 * d (2 s + 1) (pattern ± 1/8).
 */
import { type BlockDecoder, f32, HALVES, half, u16 } from './block.ts'
import { IQ1_GRID } from './grids.ts'

const DELTA = 0.125

/** d, low bytes of the pattern numbers[32], then per 32 elements 16 bits: 4 x 3 upper bits, 3 bits s, sign of delta. */
export const iq1_s: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  for (let part = 0; part < 8; part++) {
    const upper = u16(bytes, at + 34 + 2 * part)
    const dl = f32(d * (2 * ((upper >> 12) & 7) + 1))
    const delta = upper & 0x8000 ? -DELTA : DELTA
    for (let g = 0; g < 4; g++) {
      const pattern = bytes[at + 2 + part * 4 + g]! | (((upper >> (3 * g)) & 7) << 8)
      group(y, to + part * 32 + g * 8, pattern, dl, delta)
    }
  }
}

/**
 * Low bytes[32], per group a nibble (3 upper bits, sign of delta)[16], scales[8]: four 16-bit words of 4 x 3 bits s,
 * each for 16 elements, whose top nibbles together are d.
 */
export const iq1_m: BlockDecoder = (bytes, at, y, to) => {
  const word = (i: number) => u16(bytes, at + 48 + 2 * i)
  const d = HALVES[(word(0) >> 12) | ((word(1) >> 12) << 4) | ((word(2) >> 12) << 8) | ((word(3) >> 12) << 12)]!
  for (let g = 0; g < 32; g++) {
    const nibble = (bytes[at + 32 + (g >> 1)]! >> (4 * (g & 1))) & 15
    const half16 = g >> 1
    const s = (word(half16 >> 2) >> (3 * (half16 & 3))) & 7
    const pattern = bytes[at + g]! | ((nibble & 7) << 8)
    group(y, to + g * 8, pattern, f32(d * (2 * s + 1)), nibble & 8 ? -DELTA : DELTA)
  }
}

function group(y: Float32Array, to: number, pattern: number, scale: number, delta: number): void {
  for (let i = 0; i < 8; i++) y[to + i] = scale * (IQ1_GRID[pattern * 8 + i]! + delta)
}
