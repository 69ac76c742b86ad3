import type { Operations } from '../kernels/operations/table.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { LastProduct } from './loss.ts'
import type { Parameters } from './parameters.ts'
import type { TrainingScratch } from './scratch.ts'

/** A forward pass whose losses are to be recorded. */
export interface Pass {
  readonly ops: Operations
  readonly parameters: Parameters
  readonly scratch: TrainingScratch
  readonly last: LastProduct
  /** The stream of all tokens after the final norm, f32 [n, D]. */
  readonly x: Tensor
  /** Those that leave each layer, f32 [n, D]. */
  readonly streams: readonly Tensor[]
  /** Of x or a stream, to be added to. */
  readonly gradient: (t: Tensor) => Tensor
}
