import type { ByteRange } from '../tensor/bytes.ts'
import { WEIGHT_TYPES, type WeightType } from '../tensor/dtype.ts'
import type { GgmlType } from './gguf/ggml-types.ts'
import type { SafetensorsDType } from './safetensors/dtypes.ts'

/** A type as its format names it. Where safetensors and ggml have the same name, they mean the same. */
export type StoredType = SafetensorsDType | GgmlType | ForeignType
/** Of a later version of the format: nothing is known of it but its name, and no weight may have it. */
type ForeignType = string & {}

/** A tensor as a file declares it; `bytes` is its place in the file, checked against type and shape. */
export interface TensorEntry {
  readonly name: string
  readonly dtype: StoredType
  /** Outermost axis first, the last axis contiguous. */
  readonly shape: readonly number[]
  readonly bytes: ByteRange
}

/** Undefined for types that a model's weights may not have. */
export function weightTypeOf(stored: StoredType): WeightType | undefined {
  if (stored === 'F8_E4M3') return 'e4m3'
  const type = stored.toLowerCase()
  return Object.hasOwn(WEIGHT_TYPES, type) ? (type as WeightType) : undefined
}
