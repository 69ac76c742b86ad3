import { BLOCK_TYPES, type BlockType } from '../../tensor/dtype.ts'
import type { BlockDecoder } from './block.ts'
import { iq1_m, iq1_s } from './iq1.ts'
import { iq2_s, iq2_xs, iq2_xxs } from './iq2.ts'
import { iq3_s, iq3_xxs } from './iq3.ts'
import { q2_k, q3_k, q4_k, q5_k, q6_k } from './k-quants.ts'
import { iq4_nl, iq4_xs, mxfp4 } from './nibble-tables.ts'
import { q4_0, q4_1, q5_0, q5_1, q8_0 } from './q32.ts'
import { tq1_0, tq2_0 } from './ternary.ts'

const DECODERS: Readonly<Record<BlockType, BlockDecoder>> = {
  q8_0,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  iq4_xs,
  mxfp4,
  iq1_s,
  iq1_m,
  iq2_xxs,
  iq2_xs,
  iq2_s,
  iq3_xxs,
  iq3_s,
  tq1_0,
  tq2_0,
}

/** The values of whole blocks, equal to ggml's to the last bit. */
export function decodeBlocks(type: BlockType, bytes: Uint8Array): Float32Array {
  const { elements, bytes: size } = BLOCK_TYPES[type]
  const count = bytes.length / size
  if (!Number.isInteger(count)) throw new RangeError(`${bytes.length} bytes are no whole number of ${type} blocks`)
  const decode = DECODERS[type]
  const values = new Float32Array(count * elements)
  for (let b = 0; b < count; b++) decode(bytes, b * size, values, b * elements)
  return values
}
