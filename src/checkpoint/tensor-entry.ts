import type { ByteRange } from '../tensor/bytes.ts'
import { WEIGHT_TYPES, type WeightType } from '../tensor/dtype.ts'
import type { GgmlType } from './gguf/ggml-types.ts'
import type { SafetensorsDType } from './safetensors/dtypes.ts'

/** A type as its format names it. Names that safetensors and ggml share mean the same in both. */
export type StoredType = SafetensorsDType | GgmlType | ForeignType
/** A type of a later version of the format: we know only its name, and no weight may have it. */
type ForeignType = string & {}

/** A tensor as its file declares it. `bytes` is its range in the file, checked against type and shape. */
export interface TensorEntry {
  readonly name: string
  readonly dtype: StoredType
  /** Outermost axis first, the last axis contiguous. */
  readonly shape: readonly number[]
  readonly bytes: ByteRange
}

/** The weight type of a stored type; undefined for types that weights may not have. */
export function weightTypeOf(stored: StoredType): WeightType | undefined {
  if (stored === 'F8_E4M3') return 'e4m3'
  const type = stored.toLowerCase()
  return Object.hasOwn(WEIGHT_TYPES, type) ? (type as WeightType) : undefined
}
