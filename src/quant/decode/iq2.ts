/** Groups of eight magnitudes from a list of patterns, each with a sign: value = ± d (s + 1/2) / 4 magnitude. */
import { type BlockDecoder, f32, half, u16, u32 } from './block.ts'
import { IQ2_S_GRID, IQ2_XS_GRID, IQ2_XXS_GRID } from './grids.ts'
import { evenSigns, signedGroup } from './signs.ts'

/** d, then per 32 elements four pattern numbers of 8 bits and 32 bits: 4 x 7 bits of signs, 4 bits s. */
export const iq2_xxs: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  for (let part = 0; part < 8; part++) {
    const patterns = at + 2 + part * 8
    const bits = u32(bytes, patterns + 4)
    const scale = scaled(d, bits >>> 28)
    for (let g = 0; g < 4; g++) {
      const signs = evenSigns((bits >>> (7 * g)) & 127)
      signedGroup(y, to + part * 32 + g * 8, IQ2_XXS_GRID, bytes[patterns + g]!, 8, signs, scale)
    }
  }
}

/** d, per group 9 bits of pattern and 7 of signs[64], s for 16 elements each in nibbles[8]. */
export const iq2_xs: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  for (let g = 0; g < 32; g++) {
    const word = u16(bytes, at + 2 + 2 * g)
    const scale = scaled(d, nibble(bytes, at + 66, g >> 1))
    signedGroup(y, to + g * 8, IQ2_XS_GRID, word & 511, 8, evenSigns(word >> 9), scale)
  }
}

/** d, low bytes of the pattern numbers[32], signs[32], two upper bits of each number[8], s in nibbles[8]. */
export const iq2_s: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  for (let g = 0; g < 32; g++) {
    const upper = (bytes[at + 66 + (g >> 2)]! >> (2 * (g & 3))) & 3
    const pattern = bytes[at + 2 + g]! | (upper << 8)
    const scale = scaled(d, nibble(bytes, at + 74, g >> 1))
    signedGroup(y, to + g * 8, IQ2_S_GRID, pattern, 8, bytes[at + 34 + g]!, scale)
  }
}

function scaled(d: number, s: number): number {
  return f32(d * (s + 0.5)) * 0.25
}

function nibble(bytes: Uint8Array, at: number, i: number): number {
  return (bytes[at + (i >> 1)]! >> (4 * (i & 1))) & 15
}
