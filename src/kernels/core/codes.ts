/** The numbers by which the command list names operations and types: the same as in native/core, which a test checks. */
import type { CacheType, DType } from '../../tensor/dtype.ts'
import type { Activation } from '../contract/operations.ts'

/** In the order of native/core/opcodes.h. */
export const OPERATIONS = [
  'embed',
  'gatherRows',
  'copy',
  'axpby',
  'rmsNorm',
  'layerNorm',
  'matmul',
  'headMatmul',
  'activate',
  'gate',
  'ropeTable',
  'rope',
  'cacheWrite',
  'cacheRead',
  'attention',
  'probabilities',
  'route',
  'groupByExpert',
  'expertMatmul',
  'combineExperts',
  'transpose',
  'addToVector',
  'pack',
] as const

export type Operation = (typeof OPERATIONS)[number]

export const OPCODES = Object.fromEntries(OPERATIONS.map((name, code) => [name, code])) as Readonly<
  Record<Operation, number>
>

/** In the order of `Dtype` in native/core/base.h. */
export const DTYPE_CODES: Readonly<Record<DType, number>> = {
  f32: 0,
  f16: 1,
  bf16: 2,
  e4m3: 3,
  i32: 4,
  u8: 5,
  f64: 6,
}

/** How cached vectors are stored, by the numbers of `Dtype` too. */
export const CACHE_CODES: Readonly<Record<CacheType, number>> = { f32: 0, f16: 1, bf16: 2, int8: 20, fp8: 21 }

/** In the order of `Act` in native/ops/elementwise/activate.h. */
export const ACTIVATION_CODES: Readonly<Record<Activation, number>> = {
  silu: 0,
  gelu: 1,
  gelu_tanh: 2,
  quick_gelu: 3,
  relu: 4,
  relu2: 5,
  sigmoid: 6,
  tanh: 7,
}
