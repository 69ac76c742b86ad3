import { BLOCK_TYPES } from '../../tensor/dtype.ts'
import type { BlockEncoder } from './block.ts'
import { q2_k, q4_k, q5_k } from './k-affine.ts'
import { q3_k, q6_k } from './k-symmetric.ts'
import { iq4_nl, mxfp4 } from './nibble-tables.ts'
import { q4_0, q4_1, q5_0, q5_1, q8_0 } from './q32.ts'

/** Block types that can be written. Others need an importance matrix of activations to be useful. */
export type EncodableBlockType =
  | ('q8_0' | 'q4_0' | 'q4_1' | 'q5_0' | 'q5_1')
  | ('q2_k' | 'q3_k' | 'q4_k' | 'q5_k' | 'q6_k')
  | ('iq4_nl' | 'mxfp4')

/** Each creates an encoder with its own scratch memory. */
const ENCODERS = {
  q8_0: () => q8_0,
  q4_0: () => q4_0,
  q4_1: () => q4_1,
  q5_0: () => q5_0,
  q5_1: () => q5_1,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  mxfp4,
} satisfies Record<EncodableBlockType, () => BlockEncoder>

export const ENCODABLE_BLOCK_TYPES = Object.keys(ENCODERS) as readonly EncodableBlockType[]

/** Whole blocks of finite values, quantised. */
export function encodeBlocks(type: EncodableBlockType, values: Float32Array): Uint8Array {
  const { elements, bytes: size } = BLOCK_TYPES[type]
  const count = values.length / elements
  if (!Number.isInteger(count)) throw new RangeError(`${values.length} values are no whole number of ${type} blocks`)
  const encode = ENCODERS[type]()
  const bytes = new Uint8Array(count * size)
  for (let b = 0; b < count; b++) encode(values, b * elements, bytes, b * size)
  return bytes
}
