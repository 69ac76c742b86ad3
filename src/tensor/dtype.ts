/**
 * Element types. `DType` is what a tensor of activations, cache rows or indices may hold;
 * `WeightType` is what a checkpoint's matrices may hold. Block-quantised weight types join
 * `WEIGHT_TYPES` as rows of the same table: bytes for a block of so many elements.
 */
export type DType = 'f32' | 'f16' | 'bf16' | 'e4m3' | 'i32' | 'u8' | 'f64'

/** Bytes of one element. */
export const DTYPE_BYTES: Readonly<Record<DType, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  e4m3: 1,
  i32: 4,
  u8: 1,
  f64: 8,
}

export interface BlockFormat {
  /** Elements of a row that are stored together. */
  readonly elements: number
  /** Bytes of one such block. */
  readonly bytes: number
}

export type WeightType = 'f32' | 'f16' | 'bf16' | 'e4m3'

export const WEIGHT_TYPES: Readonly<Record<WeightType, BlockFormat>> = {
  f32: { elements: 1, bytes: 4 },
  f16: { elements: 1, bytes: 2 },
  bf16: { elements: 1, bytes: 2 },
  /** OCP FP8 E4M3FN: no infinity, 0x7f and 0xff are NaN, largest 448. Scales lie in a tensor of their own. */
  e4m3: { elements: 1, bytes: 1 },
}

/** The types a cache row's segment may have. */
export type CacheType = 'f32' | 'f16' | 'bf16'
