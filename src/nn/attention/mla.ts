/**
 * Multi-head Latent Attention (DeepSeek-V2, arXiv 2405.04434, section 2.1 and appendix C): what both paths share.
 * Keys and values of a token are compressed into one latent of C numbers; with a rope key of R numbers, shared by all
 * heads, it is all that is cached. How scores come from it is the business of `mla-expanded` and `mla-absorbed`.
 */

import { lastOf, splitHeads, type Tensor } from '../../tensor/tensor.ts'
import { type Linear, linear, type Norm, normalise } from '../layers.ts'
import type { LatentAttentionConfig } from './config.ts'
import { attendAbsorbed } from './mla-absorbed.ts'
import { attendExpanded } from './mla-expanded.ts'
import type { KeyValueUp } from './mla-up.ts'
import type { AttentionStep, LatentSlices } from './step.ts'

export interface LatentWeights {
  /** W_DQ and its norm, then W_UQ; or W_Q alone. */
  readonly queryDown: { readonly linear: Linear; readonly norm: Norm } | null
  /** [H (N + R), Q or D] */
  readonly query: Linear
  /** W_DKV and W_KR: [C + R, D] */
  readonly keyValueDown: Linear
  readonly latentNorm: Norm
  /** W_UK and W_UV */
  readonly keyValueUp: KeyValueUp
  /** W_O: [D, H V] */
  readonly out: Linear
}

/** x [T, D] -> what the heads found, [T, H V], before the output projection. */
export function latentAttention(
  step: AttentionStep,
  w: LatentWeights,
  c: LatentAttentionConfig,
  interleaved: boolean,
  slices: LatentSlices,
  x: Tensor,
): Tensor {
  const { kernels: k, arena, tokens: T, group } = step
  const { nHeads: H, kvLoraRank: C, qkRopeHeadDim: R, qkNopeHeadDim: N, vHeadDim: V } = c

  const attended = arena.take([T, H * V])
  const q = projectQuery(step, w, c, x) // [T, H, N + R]
  const compressed = arena.take([T, C + R])
  linear(k, compressed, x, w.keyValueDown)
  const latent = lastOf(compressed, 0, C) // [T, C]
  const ropeKey = splitHeads(lastOf(compressed, C, R), 1) // [T, 1, R]
  normalise(k, latent, latent, w.latentNorm)
  if (step.cosSin) {
    const qRope = lastOf(q, N, R) // [T, H, R]
    k.rope(qRope, qRope, step.cosSin, interleaved)
    k.rope(ropeKey, ropeKey, step.cosSin, interleaved)
  }
  k.cacheWrite(slices.latent, splitHeads(latent, 1), group.sequences)
  k.cacheWrite(slices.ropeKey, ropeKey, group.sequences)

  const out = splitHeads(attended, H) // [T, H, V]
  for (const run of group.absorbed) attendAbsorbed(step, w.keyValueUp, c, slices, q, out, run)
  for (const span of group.expanded) attendExpanded(step, w.keyValueUp, c, slices, q, out, span)
  return attended
}

function projectQuery(step: AttentionStep, w: LatentWeights, c: LatentAttentionConfig, x: Tensor): Tensor {
  const { kernels: k, arena, tokens: T } = step
  const { nHeads: H, qkNopeHeadDim: N, qkRopeHeadDim: R, qLoraRank: Q } = c
  const q = arena.take([T, H * (N + R)])
  if (w.queryDown && Q !== null) {
    const down = arena.take([T, Q])
    linear(k, down, x, w.queryDown.linear)
    normalise(k, down, down, w.queryDown.norm)
    linear(k, q, down, w.query)
  } else {
    linear(k, q, x, w.query)
  }
  return splitHeads(q, H)
}
