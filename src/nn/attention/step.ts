/** What the functions of a decoder are given. */

import type { Operations } from '../../kernels/operations/table.ts'
import { type Tensor, view } from '../../tensor/tensor.ts'
import type { Scratch } from '../scratch.ts'
import type { DistanceBias } from './distance-bias.ts'
import type { KeyStore, StoredKeys } from './keys.ts'
import type { StepGroup } from './runs.ts'

/** What a decoder runs on. All three use the memory of one kernel set. */
export interface Backend {
  readonly ops: Operations
  readonly scratch: Scratch
  readonly keys: KeyStore
}

/** A step as attention of one layer sees it. */
export interface AttentionStep extends Backend {
  /** Index of the layer. */
  readonly layer: number
  /** T */
  readonly tokens: number
  readonly group: StepGroup
  /** Keys a query sees, itself included; null: all before it. */
  readonly window: number | null
  /** null without rotary positions. */
  readonly rope: StepRope | null
  /** What is added to scores. Default: nothing. */
  readonly bias?: DistanceBias | undefined
  /** Queries see later keys too, as in an encoder. Default false. */
  readonly seesAll?: boolean
  /** f32 [H, T, S], all -inf before: receives the attention pattern, key position = column. One sequence only. */
  readonly pattern: Tensor | null
  /** i32 [T, topK]: the keys that each query has chosen, written by layers with an indexer; null in models without. */
  readonly selected: Tensor | null
  /** f32 [T, S], all -inf before: receives an indexer's scores. One sequence only. Default: they are not kept. */
  readonly indexScores?: Tensor | null
  /** f32 [T, D]: receives what experts beside the layer's MLP return. Default: it has none. */
  readonly beside?: Tensor | null
  /** The same of the layer before, which joins the stream behind this one. Default: that has none. */
  readonly joins?: Tensor | null
  /** f32 [T, W] (strided rows allowed): the vectors of the tokens for this layer. Default: there are none. */
  readonly input?: Tensor | null
  /** The same step as the layer's cross-attention sees it. Default: it has none. */
  readonly cross?: CrossStep | null
}

/** A step's queries against the source of each sequence. */
export interface CrossStep {
  /** Of the sources. */
  readonly keys: StoredKeys
  readonly values: StoredKeys
  readonly group: StepGroup
  /** As `AttentionStep.pattern`, S being the source's tokens. */
  readonly pattern: Tensor | null
}

export interface StepRope {
  /** f32 [T, rotary dim] */
  readonly cosSin: Tensor
  /** The same for queries: the keys' own unless queries grow with their position. */
  readonly queryCosSin: Tensor
  /** f32 [T, N]: what makes the part of an MLA's query grow that is not rotated; null: it stays. */
  readonly stillCosSin: Tensor | null
  readonly interleaved: boolean
}

/** What MLA has stored of a layer. */
export interface StoredLatents {
  readonly latent: StoredKeys
  readonly ropeKey: StoredKeys
}

/** Query rows start .. start + count of a pattern: [H, T, S] -> [H, count, S]. */
export function patternRows(pattern: Tensor, start: number, count: number): Tensor {
  const [H, , S] = pattern.shape as [number, number, number]
  return view(pattern, start * (pattern.strides[1] as number), [H, count, S], pattern.strides)
}
