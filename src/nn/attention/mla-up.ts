/**
 * The up-projections of MLA, W_UK and W_UV, and what the two paths do with them. Checkpoints hold them as one matrix
 * (the hub) or as two, W_UK transposed (GGUF); only this file knows which.
 */

import type { Weight } from '../../kernels/contract/weights.ts'
import type { Operations } from '../../kernels/operations/table.ts'
import { lastOf, reshape, type Tensor, view } from '../../tensor/tensor.ts'
import type { LowRank } from '../layers.ts'
import type { LatentAttentionConfig } from './config.ts'

export type KeyValueUp = KeyValueWeights & {
  /** Of the joined matrix. Default: none. */
  readonly adapter?: LowRank
}

type KeyValueWeights =
  | {
      readonly kind: 'joined'
      /** Per head N key rows, then V value rows: [H (N + V), C] */
      readonly weight: Weight
    }
  | {
      readonly kind: 'split'
      /** W_UK, transposed per head: [H C, N] */
      readonly key: Weight
      /** W_UV: [H V, C] */
      readonly value: Weight
    }

/** y_h = W_UK,hᵀ q_h: queries q [T, H, N] into the latent space, y [T, H, C]. Both strided. */
export function absorbQueries(ops: Operations, y: Tensor, q: Tensor, up: KeyValueUp, c: LatentAttentionConfig): void {
  const { kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V } = c
  if (up.kind === 'joined') {
    ops.headMatmul(y, q, up.weight, { headRows: N + V, firstRow: 0, rows: N, transposed: true })
  } else {
    ops.headMatmul(y, q, up.key, { headRows: C, firstRow: 0, rows: C, transposed: false })
  }
}

/** y_h = W_UV,h x_h: weighted latents x [T, H, C] out of the latent space, y [T, H, V]. Both strided. */
export function upProjectValues(ops: Operations, y: Tensor, x: Tensor, up: KeyValueUp, c: LatentAttentionConfig): void {
  const { qkNopeHeadDim: N, vHeadDim: V } = c
  if (up.kind === 'joined') {
    ops.headMatmul(y, x, up.weight, { headRows: N + V, firstRow: N, rows: V, transposed: false })
  } else {
    ops.headMatmul(y, x, up.value, { headRows: V, firstRow: 0, rows: V, transposed: false })
  }
}

/**
 * y_h = [W_UK,h c ; W_UV,h c]: keys and values of every head, y [S, H, N + V], from latents [S, C]. Contiguous.
 * `factors`: what attention rounds keys to, at least. `added`: is added, y's shape.
 */
export function expandLatents(
  ops: Operations,
  y: Tensor,
  latents: Tensor,
  up: KeyValueUp,
  c: LatentAttentionConfig,
  factors: 'f32' | 'bf16',
  added?: Tensor,
): void {
  const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V } = c
  const S = latents.shape[0] as number
  if (up.kind === 'joined') {
    const rows = [S, H * (N + V)]
    ops.matmul(reshape(y, rows), latents, up.weight, added && { residual: reshape(added, rows) })
  } else {
    const perHead = view(latents, 0, [S, H, C], [C, 0, 1])
    const key = { headRows: C, firstRow: 0, rows: C, transposed: true, factors }
    ops.headMatmul(lastOf(y, 0, N), perHead, up.key, key)
    ops.headMatmul(lastOf(y, N, V), perHead, up.value, { headRows: V, firstRow: 0, rows: V, transposed: false })
    if (added) ops.axpby(y, 1, y, 1, added)
  }
}
