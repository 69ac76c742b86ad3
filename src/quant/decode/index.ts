import { BLOCK_TYPES, type BlockType } from '../../tensor/dtype.ts'
import type { BlockDecoder } from './block.ts'
import * as iq1 from './iq1.ts'
import * as iq2 from './iq2.ts'
import * as iq3 from './iq3.ts'
import * as kQuants from './k-quants.ts'
import * as nibbleTables from './nibble-tables.ts'
import * as oneScale from './one-scale.ts'
import * as q32 from './q32.ts'
import * as ternary from './ternary.ts'

/** A decoder has its type's name. */
const DECODERS: Readonly<Record<BlockType, BlockDecoder>> = {
  ...q32,
  ...kQuants,
  ...nibbleTables,
  ...iq1,
  ...iq2,
  ...iq3,
  ...ternary,
  ...oneScale,
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
