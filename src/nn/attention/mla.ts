/**
 * Multi-head Latent Attention (DeepSeek-V2, arXiv 2405.04434, section 2.1 and appendix C): what both paths share.
 * Keys and values of a token are compressed into one latent of C numbers; with a rope key of R numbers, shared by all
 * heads, it is all that is cached. How scores come from it is the business of `mla-expanded` and `mla-absorbed`.
 */

import { lastOf, splitHeads, type Tensor, view } from '../../tensor/tensor.ts'
import { type Linear, linear, type Norm, normalise } from '../layers.ts'
import type { LatentAttentionConfig } from './config.ts'
import { chooseKeys, type IndexerWeights } from './indexer.ts'
import { attendAbsorbed } from './mla-absorbed.ts'
import { attendExpanded } from './mla-expanded.ts'
import type { KeyValueUp } from './mla-up.ts'
import type { AttentionStep, StoredLatents } from './step.ts'

export interface LatentWeights {
  /** W_DQ and its norm, then W_UQ; or W_Q alone. */
  readonly queryDown: { readonly linear: Linear; readonly norm: Norm } | null
  /** [H (N + R), Q or D]; with a gate per head N + R rows of the query, then V of the gate: [H (N + R + V), 2 Q] */
  readonly query: Linear
  /** W_DKV and W_KR: [C + R, D] */
  readonly keyValueDown: Linear
  readonly latentNorm: Norm
  /** W_UK and W_UV */
  readonly keyValueUp: KeyValueUp
  /** [H, D], of attention whose heads are gated. */
  readonly headGate?: Linear
  /** W_O: [D, H V] */
  readonly out: Linear
  /** Where the layer chooses keys itself. Default: it does not. */
  readonly indexer?: IndexerWeights
}

/** x [T, D] -> what the heads found, [T, H V], before the output projection. */
export function latentAttention(step: AttentionStep, w: LatentWeights, c: LatentAttentionConfig, x: Tensor): Tensor {
  const { ops, scratch, keys, layer, tokens: T, group } = step
  const { nHeads: H, kvLoraRank: C, qkRopeHeadDim: R, vHeadDim: V } = c

  const attended = scratch.take([T, H * V])
  const { query, latent: queryLatent, gate } = projectQuery(step, w, c, x)
  if (c.indexer && w.indexer) chooseKeys(step, w.indexer, c.indexer, x, queryLatent)
  const q = positionedQuery(step, c, query) // [T, H, N + R]
  const compressed = scratch.take([T, C + R])
  linear(step, compressed, x, w.keyValueDown)
  const latent = scratch.replacing(lastOf(compressed, 0, C)) // [T, C]
  normalise(ops, latent, lastOf(compressed, 0, C), w.latentNorm)
  const scaled = c.latentScale === undefined ? latent : scratch.replacing(latent)
  if (c.latentScale !== undefined) ops.axpby(scaled, c.latentScale, latent)
  const ropeKey = positioned(step, splitHeads(lastOf(compressed, C, R), 1)) // [T, 1, R]
  const stored: StoredLatents = {
    latent: keys.put(layer, 'latent', splitHeads(scaled, 1), group),
    ropeKey: keys.put(layer, 'ropeKey', ropeKey, group),
  }

  const out = splitHeads(attended, H) // [T, H, V]
  for (const run of group.absorbed) attendAbsorbed(step, w.keyValueUp, c, stored, q, out, run)
  for (const span of group.expanded) attendExpanded(step, w.keyValueUp, c, stored, q, out, span)
  if (w.headGate) return gatedHeads(step, w.headGate, c, attended, x)
  if (!gate) return attended
  const gated = scratch.replacing(attended)
  ops.gate(splitHeads(gated, H), gate, out, 'sigmoid')
  return gated
}

/** Each head's numbers times the sigmoid of its own: one factor for a row of V numbers, each of which counts as a row here. */
function gatedHeads(step: AttentionStep, gate: Linear, c: LatentAttentionConfig, found: Tensor, x: Tensor): Tensor {
  const { ops, scratch, tokens: T } = step
  const { nHeads: H, vHeadDim: V } = c
  const factors = scratch.take([T, H])
  linear(step, factors, x, gate)
  const each = (t: Tensor) => view(t, 0, [T, H, V, 1], [H * V, V, 1, 1])
  const gated = scratch.replacing(found)
  ops.gate(each(gated), view(factors, 0, [T, H, V, 1], [H, 1, 0, 1]), each(found), 'sigmoid')
  return gated
}

/** The query [T, H, N + R], what it is projected from ([T, Q] or x), and where heads have a gate that, [T, H, V]. */
function projectQuery(
  step: AttentionStep,
  w: LatentWeights,
  c: LatentAttentionConfig,
  x: Tensor,
): { readonly query: Tensor; readonly latent: Tensor; readonly gate: Tensor | null } {
  const { ops, scratch, tokens: T } = step
  const { nHeads: H, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V, qLoraRank: Q } = c
  if (c.gated && w.queryDown && Q !== null) {
    const both = scratch.take([T, 2 * Q])
    const [latent, raw] = [lastOf(both, 0, Q), lastOf(both, Q, Q)]
    linear(step, raw, x, w.queryDown.linear)
    normalise(ops, latent, raw, w.queryDown.norm)
    const all = scratch.take([T, H * (N + R + V)])
    linear(step, all, both, w.query)
    const heads = splitHeads(all, H)
    return { query: lastOf(heads, 0, N + R), latent, gate: lastOf(heads, N + R, V) }
  }
  const q = scratch.take([T, H * (N + R)])
  if (w.queryDown && Q !== null) {
    const down = scratch.take([T, Q])
    linear(step, down, x, w.queryDown.linear)
    const normed = scratch.replacing(down)
    normalise(ops, normed, down, w.queryDown.norm)
    linear(step, q, normed, w.query)
    return { query: splitHeads(q, H), latent: normed, gate: null }
  }
  linear(step, q, x, w.query)
  return { query: splitHeads(q, H), latent: x, gate: null }
}

function positioned({ ops, scratch, rope }: AttentionStep, x: Tensor): Tensor {
  if (!rope) return x
  const rotated = scratch.replacing(x)
  ops.rope(rotated, x, rope.cosSin, rope.interleaved)
  return rotated
}

/** q [T, H, N + R], of which the last R numbers are rotated. The others stay, or grow with the position. */
function positionedQuery({ ops, scratch, rope }: AttentionStep, c: LatentAttentionConfig, q: Tensor): Tensor {
  const { qkNopeHeadDim: N, qkRopeHeadDim: R } = c
  if (!rope) return q
  const { stillCosSin, queryCosSin, interleaved } = rope
  const rotated = scratch.replacing(q)
  if (stillCosSin) ops.rope(lastOf(rotated, 0, N), lastOf(q, 0, N), stillCosSin, interleaved)
  else if (rotated !== q) ops.copy(lastOf(rotated, 0, N), lastOf(q, 0, N))
  ops.rope(lastOf(rotated, N, R), lastOf(q, N, R), queryCosSin, interleaved)
  return rotated
}
