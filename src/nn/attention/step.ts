/** What attention needs to know of a step: which query rows belong to which sequence, and where their keys lie. */

import type { RowSlice } from '../../kernels/contract/cached-rows.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { type Tensor, view } from '../../tensor/tensor.ts'
import type { Arena } from '../arena.ts'

/** Query rows start .. start + count of the step that take the absorbed path. */
export interface AbsorbedRun {
  readonly start: number
  readonly count: number
  /** f64 [b, 6], query rows counted from `start`. */
  readonly sequences: Tensor
}

/** Query rows of one sequence that take the expanded path, and its keys in chunks on a fixed grid of positions. */
export interface ExpandedSpan {
  readonly start: number
  readonly count: number
  /** Each f64 [1, 6], query rows counted from `start`; `keyCount` keys. */
  readonly keyChunks: readonly { readonly keyCount: number; readonly sequence: Tensor }[]
}

/** The sequences of a step as one group of layers sees them. */
export interface StepGroup {
  /** f64 [B, 6], query rows counted from 0. */
  readonly sequences: Tensor
  readonly absorbed: readonly AbsorbedRun[]
  readonly expanded: readonly ExpandedSpan[]
}

export interface AttentionStep {
  readonly kernels: Kernels
  readonly arena: Arena
  /** T */
  readonly tokens: number
  readonly group: StepGroup
  /** f32 [T, rotary dim] of the layer's rope; null without rotary positions. */
  readonly cosSin: Tensor | null
  /** f32 [H, T, S], all -inf before: receives the attention pattern, key position = column. One sequence only. */
  readonly pattern: Tensor | null
}

/** Where a layer's latents and rope keys are cached. */
export interface LatentSlices {
  readonly latent: RowSlice
  readonly ropeKey: RowSlice
}

/** Where a layer's keys and values are cached. */
export interface GroupedSlices {
  readonly key: RowSlice
  readonly value: RowSlice
}

/** Query rows start .. start + count of a pattern: [H, T, S] -> [H, count, S]. */
export function patternRows(pattern: Tensor, start: number, count: number): Tensor {
  const [H, , S] = pattern.shape as [number, number, number]
  return view(pattern, start * (pattern.strides[1] as number), [H, count, S], pattern.strides)
}
