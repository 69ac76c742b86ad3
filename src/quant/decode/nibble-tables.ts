/** Four-bit codes that index a table of values, denser near zero, where most weights are. */
import { type BlockDecoder, f32, half, u16 } from './block.ts'

export const IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
/** OCP Microscaling FP4 E2M1 (v1.0, section 5.3.3), doubled. Both zeros are +0 in ggml. */
export const E2M1 = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]

/** d, codes[16]. */
export const iq4_nl: BlockDecoder = (bytes, at, y, to) => {
  nibbles(bytes, at + 2, y, to, half(bytes, at), IQ4)
}

/** d, two upper bits of eight scales, their low nibbles[4], codes[128]; scale = 6 bits less 32. */
export const iq4_xs: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  const upper = u16(bytes, at + 2)
  for (let part = 0; part < 8; part++) {
    const low = (bytes[at + 4 + (part >> 1)]! >> (4 * (part & 1))) & 15
    const scale = (low | (((upper >> (2 * part)) & 3) << 4)) - 32
    nibbles(bytes, at + 8 + part * 16, y, to + part * 32, f32(d * scale), IQ4)
  }
}

/** Exponent byte (2^(e - 127), halved because the table is doubled), codes[16]. */
export const mxfp4: BlockDecoder = (bytes, at, y, to) => {
  nibbles(bytes, at + 1, y, to, 2 ** (bytes[at]! - 128), E2M1)
}

function nibbles(
  bytes: Uint8Array,
  at: number,
  y: Float32Array,
  to: number,
  scale: number,
  table: readonly number[],
): void {
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + i]!
    y[to + i] = scale * table[pair & 15]!
    y[to + 16 + i] = scale * table[pair >> 4]!
  }
}
