/**
 * Attention with its own keys and values per head or group of heads: MHA (arXiv 1706.03762), MQA (arXiv 1911.02150)
 * and GQA (arXiv 2305.13245) differ only in `nKvHeads`; a sliding window (Mistral) only in the mask.
 */

import { lastOf, splitHeads, type Tensor } from '../../tensor/tensor.ts'
import { type Linear, linear, type Norm, normalise } from '../layers.ts'
import type { GroupedAttentionConfig } from './config.ts'
import type { AttentionStep, GroupedSlices } from './step.ts'

export interface GroupedWeights {
  /** One matrix with the rows of q, k and v in this order, or three. */
  readonly qkv: readonly [Linear] | readonly [Linear, Linear, Linear]
  readonly queryNorm: Norm | null
  readonly keyNorm: Norm | null
  /** [D, H d] */
  readonly out: Linear
}

/** x [T, D] -> what the heads found, [T, H d], before the output projection. */
export function groupedAttention(
  step: AttentionStep,
  w: GroupedWeights,
  c: GroupedAttentionConfig,
  interleaved: boolean,
  window: number | null,
  slices: GroupedSlices,
  x: Tensor,
): Tensor {
  const { kernels: k, arena, tokens: T, group } = step
  const { nHeads: H, headDim: d } = c

  const attended = arena.take([T, H * d])
  const [q, key, value] = project(step, w, c, x) // [T, H, d], [T, G, d], [T, G, d]
  if (w.queryNorm) normalise(k, q, q, w.queryNorm)
  if (w.keyNorm) normalise(k, key, key, w.keyNorm)
  if (step.cosSin) {
    k.rope(q, q, step.cosSin, interleaved)
    k.rope(key, key, step.cosSin, interleaved)
  }
  k.cacheWrite(slices.key, key, group.sequences)
  k.cacheWrite(slices.value, value, group.sequences)

  const lse = step.pattern && arena.take([T, H])
  k.attention({
    out: splitHeads(attended, H),
    q,
    keys: [slices.key],
    values: slices.value,
    sequences: group.sequences,
    scale: c.softmaxScale,
    ...(window !== null && { window }),
    ...(lse && step.pattern && { lse, scores: step.pattern, scoresStart: 0 }),
  })
  if (lse && step.pattern) k.probabilities(step.pattern, step.pattern, lse)
  return attended
}

function project(
  step: AttentionStep,
  w: GroupedWeights,
  c: GroupedAttentionConfig,
  x: Tensor,
): [Tensor, Tensor, Tensor] {
  const { kernels: k, arena, tokens: T } = step
  const sizes = [c.nHeads * c.headDim, c.nKvHeads * c.headDim, c.nKvHeads * c.headDim] as const
  const heads = [c.nHeads, c.nKvHeads, c.nKvHeads] as const
  const all = arena.take([T, sizes[0] + sizes[1] + sizes[2]])
  const parts = [
    lastOf(all, 0, sizes[0]),
    lastOf(all, sizes[0], sizes[1]),
    lastOf(all, sizes[0] + sizes[1], sizes[2]),
  ] as const
  if (w.qkv.length === 1) linear(k, all, x, w.qkv[0])
  else for (const [i, l] of w.qkv.entries()) linear(k, parts[i] as Tensor, x, l)
  return [splitHeads(parts[0], heads[0]), splitHeads(parts[1], heads[1]), splitHeads(parts[2], heads[2])]
}
