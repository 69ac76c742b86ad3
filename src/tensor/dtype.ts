/**
 * Element types. `DType`: types of activations, cache rows and indices; e4m3 only for numbers that `copy` makes f32 of, f64 only
 * for what the C++ core keeps to itself (its table of experts, the size of a packed matrix). `WeightType`: types of a checkpoint's matrices,
 * stored as blocks of so many elements in so many bytes.
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

/** One number per element. */
export type FloatType = 'f32' | 'f16' | 'bf16' | 'e4m3'

const FLOAT_TYPES: Readonly<Record<FloatType, BlockFormat>> = {
  f32: { elements: 1, bytes: 4 },
  f16: { elements: 1, bytes: 2 },
  bf16: { elements: 1, bytes: 2 },
  /** OCP FP8 E4M3FN: no infinity, 0x7f and 0xff are NaN, largest 448. Scales are in a separate tensor. */
  e4m3: { elements: 1, bytes: 1 },
}

/**
 * Quantised blocks: elements of a row stored together, in ggml's byte layouts. `bytes` is written as the sum of a block's
 * fields in order; an f16 scale has 2 bytes.
 */
export const BLOCK_TYPES = {
  q8_0: { elements: 32, bytes: 2 + 32 },
  q4_0: { elements: 32, bytes: 2 + 16 },
  q4_1: { elements: 32, bytes: 2 + 2 + 16 },
  q5_0: { elements: 32, bytes: 2 + 4 + 16 },
  q5_1: { elements: 32, bytes: 2 + 2 + 4 + 16 },
  q2_k: { elements: 256, bytes: 16 + 64 + 2 + 2 },
  q3_k: { elements: 256, bytes: 32 + 64 + 12 + 2 },
  q4_k: { elements: 256, bytes: 2 + 2 + 12 + 128 },
  q5_k: { elements: 256, bytes: 2 + 2 + 12 + 32 + 128 },
  q6_k: { elements: 256, bytes: 128 + 64 + 16 + 2 },
  iq4_nl: { elements: 32, bytes: 2 + 16 },
  iq4_xs: { elements: 256, bytes: 2 + 2 + 4 + 128 },
  mxfp4: { elements: 32, bytes: 1 + 16 },
  iq1_s: { elements: 256, bytes: 2 + 32 + 16 },
  iq1_m: { elements: 256, bytes: 32 + 16 + 8 },
  iq2_xxs: { elements: 256, bytes: 2 + 64 },
  iq2_xs: { elements: 256, bytes: 2 + 64 + 8 },
  iq2_s: { elements: 256, bytes: 2 + 32 + 32 + 8 + 8 },
  iq3_xxs: { elements: 256, bytes: 2 + 64 + 32 },
  iq3_s: { elements: 256, bytes: 2 + 64 + 8 + 32 + 4 },
  tq1_0: { elements: 256, bytes: 48 + 4 + 2 },
  tq2_0: { elements: 256, bytes: 64 + 2 },
  nvfp4: { elements: 64, bytes: 4 + 32 },
  q1_0: { elements: 128, bytes: 2 + 16 },
  q2_0: { elements: 64, bytes: 2 + 16 },
} as const satisfies Readonly<Record<string, BlockFormat>>

export type BlockType = keyof typeof BLOCK_TYPES

export type WeightType = FloatType | BlockType

export const WEIGHT_TYPES: Readonly<Record<WeightType, BlockFormat>> = { ...FLOAT_TYPES, ...BLOCK_TYPES }

export function isBlockType(type: WeightType): type is BlockType {
  return Object.hasOwn(BLOCK_TYPES, type)
}

/** Bytes of a matrix whose rows are whole blocks. */
export function weightBytes(type: WeightType, rows: number, cols: number): number {
  const { elements, bytes } = WEIGHT_TYPES[type]
  return rows * (cols / elements) * bytes
}

/** Types of cached numbers that are stored as they are, without scales. */
export type PlainCacheType = 'f32' | 'f16' | 'bf16'

/**
 * A cached vector as one-byte codes, padded to a multiple of 4 bytes, followed by f32 scales: number = code x scale.
 * `int8`: codes -127 .. 127, one scale per vector. `fp8`: e4m3 codes, one scale per 128.
 */
export type ScaledCacheType = 'int8' | 'fp8'

/** The types a cache row's segment may have. */
export type CacheType = PlainCacheType | ScaledCacheType

/** Codes that share a scale. */
export const SCALE_EVERY: Readonly<Record<ScaledCacheType, number>> = { int8: Number.POSITIVE_INFINITY, fp8: 128 }

export function isScaled(type: CacheType): type is ScaledCacheType {
  return Object.hasOwn(SCALE_EVERY, type)
}

/** Bytes of a cached vector of `width` numbers. */
export function vectorBytes(type: CacheType, width: number): number {
  if (!isScaled(type)) return width * DTYPE_BYTES[type]
  return scalesAt(width) + Math.ceil(width / Math.min(width, SCALE_EVERY[type])) * DTYPE_BYTES.f32
}

/** Byte offset of a vector's scales from its first code. */
export function scalesAt(width: number): number {
  return Math.ceil(width / DTYPE_BYTES.f32) * DTYPE_BYTES.f32
}

/** Alignment of a cached vector's address, in bytes. */
export function vectorAlignment(type: CacheType): number {
  return isScaled(type) ? DTYPE_BYTES.f32 : DTYPE_BYTES[type]
}
