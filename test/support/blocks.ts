import { encode, F16 } from '../../src/quant/halves.ts'
import { BLOCK_TYPES, type BlockType } from '../../src/tensor/dtype.ts'
import type { Rng } from './rng.ts'

/** Where a block's f16 scales lie; every other byte may be anything. */
const SCALES: Partial<Record<BlockType, readonly number[]>> = {
  q8_0: [0],
  q4_0: [0],
  q4_1: [0, 2],
  q5_0: [0],
  q5_1: [0, 2],
  q2_k: [80, 82],
  q3_k: [108],
  q4_k: [0, 2],
  q5_k: [0, 2],
  q6_k: [208],
  iq4_nl: [0],
  iq4_xs: [0],
  mxfp4: [],
  iq2_xxs: [0],
  q1_0: [0],
  q2_0: [0],
}

/** Types of which `randomBlocks` makes matrices. */
export const RANDOM_BLOCK_TYPES = Object.keys(SCALES) as readonly BlockType[]

/** Blocks of any bits with scales of about 2^-6, MXFP4's with exponents of 118 to 121. */
export function randomBlocks(type: BlockType, elements: number, rng: Rng): Uint8Array {
  const scales = SCALES[type]
  if (!scales) throw new RangeError(`no random ${type} blocks: where its scales lie is not told`)
  const { elements: perBlock, bytes } = BLOCK_TYPES[type]
  const count = elements / perBlock
  if (!Number.isInteger(count)) throw new RangeError(`${elements} elements are no whole number of ${type} blocks`)
  const all = rng.bytes(count * bytes)
  for (let at = 0; at < all.length; at += bytes) {
    for (const offset of scales) {
      const code = encode((0.5 + rng.uniform()) * 2 ** -6, F16)
      all[at + offset] = code & 255
      all[at + offset + 1] = code >> 8
    }
    if (type === 'mxfp4') all[at] = 118 + rng.below(4)
  }
  return all
}

/**
 * Rows that 8 bits hold exactly: in each 32 columns multiples of one power of two, at most 127 of them and once just so
 * many. So products on blocks, which round activations to 8 bits, are the products of the numbers themselves.
 */
export function eightBitRows(rows: number, cols: number, rng: Rng): Float32Array {
  const x = new Float32Array(rows * cols)
  for (let at = 0; at < x.length; at += 32) {
    const step = 2 ** -(4 + rng.below(4))
    for (let i = 0; i < 32; i++) x[at + i] = step * (rng.below(255) - 127)
    x[at + rng.below(32)] = step * (rng.below(2) ? 127 : -127)
  }
  return x
}
