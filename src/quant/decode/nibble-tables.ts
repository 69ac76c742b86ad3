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

/** Scales of 16 elements each [4] (FP8 E4M3 without a sign, halved because the table is doubled), codes[32]. */
export const nvfp4: BlockDecoder = (bytes, at, y, to) => {
  for (let part = 0; part < 4; part++) {
    nibbles(bytes, at + 4 + part * 8, y, to + part * 16, UNSIGNED_E4M3[bytes[at + part]!]! / 2, E2M1, 8)
  }
}

/** Bit 7 counts for nothing, and the code of NaN is 0, as in ggml. */
const UNSIGNED_E4M3 = Float32Array.from({ length: 256 }, (_, code) => {
  const [exponent, mantissa] = [(code >> 3) & 15, code & 7]
  if (code === 0x7f) return 0
  return exponent === 0 ? mantissa * 2 ** -9 : (1 + mantissa / 8) * 2 ** (exponent - 7)
})

/** `count` bytes: the low nibbles are the first so many elements, the high ones the others. */
function nibbles(
  bytes: Uint8Array,
  at: number,
  y: Float32Array,
  to: number,
  scale: number,
  table: readonly number[],
  count = 16,
): void {
  for (let i = 0; i < count; i++) {
    const pair = bytes[at + i]!
    y[to + i] = scale * table[pair & 15]!
    y[to + count + i] = scale * table[pair >> 4]!
  }
}
