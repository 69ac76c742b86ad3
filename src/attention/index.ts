/**
 * Attention by hand, for those who build or study: `latentkit/attention`. MHA, GQA, MQA and MLA as functions on tensors, with the engine's caches
 * and its kernels; MLA on both of its paths; and what came before them. `docs/attention.md` begins with one layer in ten lines.
 */
import type { WorkbenchOptions } from './open.ts'
import type { Workbench } from './workbench.ts'

export type { CacheTypeName } from '../cache/types.ts'
export type { Activation } from '../kernels/contract/operation-options.ts'
export type { AttentionPath } from '../nn/attention/path.ts'
export type { DType } from '../tensor/dtype.ts'
export type { Tensor } from '../tensor/tensor.ts'
export {
  type AdditiveNumbers,
  type AdditiveOptions,
  type AdditiveResult,
  type AdditiveSizes,
  type AdditiveWeights,
  additiveAttention,
  additiveWeights,
} from './additive.ts'
export {
  activate,
  add,
  below,
  beside,
  embed,
  gate,
  gather,
  type LinearOptions,
  linear,
  type Matrix,
  type MatrixOptions,
  matrix,
  type NormOptions,
  norm,
  rows,
  shaped,
  type Vector,
  vector,
} from './arithmetic.ts'
export { type Attended, type AttendOptions, attend } from './attend.ts'
export { type AttentionCache, type CacheOptions, createCache } from './cache.ts'
export {
  type DotProductOptions,
  type DotProductResult,
  dotProductAttention,
  type QueriesKeysValues,
} from './dot-product.ts'
export { type ExpertLayer, type ExpertResult, type ExpertSizes, expertLayer, expertMlp } from './experts.ts'
export {
  type AttendedLatents,
  absorbQueries,
  attendLatents,
  expandLatents,
  type KeysValues,
  type LatentOptions,
  type QueriesLatents,
  upProjectValues,
} from './latents.ts'
export {
  type AttentionLayer,
  type GroupedLayer,
  type GroupedNumbers,
  type GroupedSizes,
  groupedLayer,
  type LatentLayer,
  type LatentNumbers,
  type LatentSizes,
  type Layer,
  type LayerSizes,
  latentLayer,
} from './layers.ts'
export type { WorkbenchOptions } from './open.ts'
export { rankErrors } from './rank-errors.ts'
export {
  type RecurrentNumbers,
  type RecurrentSizes,
  type RecurrentWeights,
  recurrentStates,
  recurrentWeights,
} from './recurrent.ts'
export { type RotateOptions, rotate } from './rotate.ts'
export type { Workbench } from './workbench.ts'

/** A workbench with kernels of its own; close it when it is no longer needed. Throws OptionError and KernelsUnavailableError. */
export async function openWorkbench(options: WorkbenchOptions = {}): Promise<Workbench> {
  return (await import('./open.ts')).openWorkbench(options)
}
