/** Groups of four magnitudes from a list of patterns, eight signs at a time. */
import { type BlockDecoder, f32, half, u32 } from './block.ts'
import { IQ3_S_GRID, IQ3_XXS_GRID } from './grids.ts'
import { evenSigns, signedGroup } from './signs.ts'

/** d, pattern numbers[64], then per 32 elements 32 bits: 4 x 7 bits of signs, 4 bits s. value = ± d (s + 1/2) / 2 magnitude. */
export const iq3_xxs: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  for (let part = 0; part < 8; part++) {
    const bits = u32(bytes, at + 66 + part * 4)
    const scale = f32(d * ((bits >>> 28) + 0.5)) * 0.5
    for (let g = 0; g < 8; g++) {
      const signs = evenSigns((bits >>> (7 * (g >> 1))) & 127) >> (4 * (g & 1))
      signedGroup(y, to + part * 32 + g * 4, IQ3_XXS_GRID, bytes[at + 2 + part * 8 + g]!, 4, signs, scale)
    }
  }
}

/** d, low bytes[64], ninth bits[8], signs[32], s for 32 elements each in nibbles[4]. value = ± d (2 s + 1) magnitude. */
export const iq3_s: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  for (let g = 0; g < 64; g++) {
    const ninth = ((bytes[at + 66 + (g >> 3)]! >> (g & 7)) & 1) << 8
    const signs = bytes[at + 74 + (g >> 1)]! >> (4 * (g & 1))
    const s = (bytes[at + 106 + (g >> 4)]! >> (4 * ((g >> 3) & 1))) & 15
    signedGroup(y, to + g * 4, IQ3_S_GRID, bytes[at + 2 + g]! | ninth, 4, signs, f32(d * (2 * s + 1)))
  }
}
