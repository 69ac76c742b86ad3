/** Weights: as a checkpoint stores them, and as a kernel set has prepared them. */

import type { ByteRange } from '../../tensor/bytes.ts'
import type { WeightType } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** A matrix as a checkpoint stores it: `rows` outputs, each a row of `cols` inputs. */
export interface WeightSource {
  /** For messages. */
  readonly name: string
  readonly dtype: WeightType
  readonly rows: number
  readonly cols: number
  readonly bytes: ByteRange
  /** FP8: one f32 factor per block, grid ceil(rows / blockRows) x ceil(cols / blockCols); the value is code x factor. */
  readonly scales?: { readonly bytes: ByteRange; readonly blockRows: number; readonly blockCols: number }
  /** Stored as [cols, rows] (GPT's Conv1D); `prepare` transposes it. */
  readonly transposed?: boolean
}

/** A matrix ready for the kernels. Only its kernel set knows how it is packed and where it lies. */
export interface Weight {
  readonly name: string
  readonly dtype: WeightType
  readonly rows: number
  readonly cols: number
}

/** One matrix per expert, all of one shape. */
export interface ExpertWeights {
  readonly name: string
  readonly experts: number
  readonly rows: number
  readonly cols: number
}

export interface KernelWeights {
  /** Makes a weight usable. Maps the file where it can, copies where it must. Lives until `dispose`. */
  prepare(source: WeightSource): Promise<Weight>
  /** The same for all experts of a layer. */
  prepareExperts(sources: readonly WeightSource[]): Promise<ExpertWeights>
  /**
   * A matrix whose numbers are a tensor's, f32 [rows, cols], contiguous: operations see what the tensor holds when they run. For weights
   * that are learned. Lives as long as the tensor.
   */
  weightOf(name: string, values: Tensor): Weight
  /** The same for the experts of a layer, f32 [E, rows, cols]. */
  expertsOf(name: string, values: Tensor): ExpertWeights
  /** A small tensor (norm weight, bias) as f32, `add` added to every element (Gemma stores weight - 1). */
  prepareVector(source: WeightSource, add?: number): Promise<Tensor>
}
