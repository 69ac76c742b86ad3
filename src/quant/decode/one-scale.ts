/** One scale d for codes of one or two bits, for models trained so (Bonsai): value = d times -1 or 1, and -1, 0, 1 or 2. */
import { type BlockDecoder, half } from './block.ts'

/** d, bits[16]: bit i of the block's 128 is element i's, 1 for d and 0 for -d. */
export const q1_0: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  for (let i = 0; i < 128; i++) y[to + i] = (bytes[at + 2 + (i >> 3)]! >> (i & 7)) & 1 ? d : -d
}

/** d, codes[16]: of 64 elements, four in a byte, the lowest bits first. */
export const q2_0: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at)
  for (let i = 0; i < 64; i++) y[to + i] = d * (((bytes[at + 2 + (i >> 2)]! >> (2 * (i & 3))) & 3) - 1)
}
