/** Values -1, 0, 1 with one scale for 256 elements, for models trained so (BitNet b1.58, TriLM). */
import { type BlockDecoder, half } from './block.ts'

/**
 * Five digits of base 3 a byte, four in the last four bytes. A byte is ceil(256 n / 243), so that its digits come
 * out of the top by multiplication: digit k is floor(3 (byte 3^k mod 256) / 256).
 */
export const tq1_0: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at + 52)
  let out = to
  const digits = (first: number, count: number, perByte: number) => {
    for (let k = 0; k < perByte; k++) {
      for (let i = 0; i < count; i++) {
        const rest = (bytes[at + first + i]! * 3 ** k) & 255
        y[out++] = d * (((rest * 3) >> 8) - 1)
      }
    }
  }
  digits(0, 32, 5)
  digits(32, 16, 5)
  digits(48, 4, 4)
}

/** codes[64] of two bits: per 128 elements 32 bytes, first the lowest bits of all of them; d. */
export const tq2_0: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at + 64)
  for (let i = 0; i < 256; i++) {
    const byte = bytes[at + (i >> 7) * 32 + (i & 31)]!
    y[to + i] = d * (((byte >> (2 * ((i >> 5) & 3))) & 3) - 1)
  }
}
