/**
 * Attention with its own keys and values per head or group of heads: MHA (arXiv 1706.03762), MQA (arXiv 1911.02150)
 * and GQA (arXiv 2305.13245) differ only in `nKvHeads`; a sliding window (Mistral) only in the mask.
 */

import { joinHeads, lastOf, rowsOf, splitHeads, type Tensor } from '../../tensor/tensor.ts'
import { type Linear, linear, type Norm, normalise } from '../layers.ts'
import type { GroupedAttentionConfig } from './config.ts'
import { type AttentionStep, patternRows } from './step.ts'

export interface GroupedWeights {
  /** One matrix with the rows of q, k and v in this order, or three. Of gated attention each head of q has its gate's rows behind its own. */
  readonly qkv: readonly [Linear] | readonly [Linear, Linear, Linear]
  readonly queryNorm: Norm | null
  readonly keyNorm: Norm | null
  /** f32 [H], where the config has sinks. */
  readonly sinks: Tensor | null
  /** [D, H d] */
  readonly out: Linear
}

/** x [T, D] -> what the heads found, [T, H d], before the output projection. */
export function groupedAttention(step: AttentionStep, w: GroupedWeights, c: GroupedAttentionConfig, x: Tensor): Tensor {
  const { ops, scratch, keys, layer, tokens: T, group, window, bias, seesAll } = step
  const { nHeads: H, headDim: d } = c

  const attended = scratch.take([T, H * d])
  const [queries, key, value] = project(step, w, c, x) // [T, H, d] or, gated, [T, H, 2 d]; [T, G, d], [T, G, d]
  const q = c.gated ? lastOf(queries, 0, d) : queries
  const query = positioned(step, q, w.queryNorm, c, step.rope?.queryCosSin)
  const cachedKeys = keys.put(layer, 'key', positioned(step, key, w.keyNorm, c, step.rope?.cosSin), group)
  const cachedValues = keys.put(layer, 'value', value, group)

  const lse = step.pattern && scratch.take([T, H])
  for (const run of group.all) {
    const rows = (t: Tensor) => rowsOf(t, run.start, run.count)
    const scores = step.pattern && patternRows(step.pattern, run.start, run.count)
    ops.attention({
      out: rows(splitHeads(attended, H)),
      q: rows(query),
      keys: [cachedKeys.slice(run)],
      values: cachedValues.slice(run),
      sequences: run.sequences,
      scale: c.softmaxScale,
      ...(window !== null && { window }),
      ...(w.sinks && { sinkLogits: w.sinks }),
      // Queries that see all stand behind the last key, each that many positions further than it is.
      ...(bias && { bias: bias.table, biasStart: bias.start - (seesAll ? run.count : 0) }),
      ...(lse && scores && { lse: rows(lse), scores, scoresStart: 0 }),
    })
  }
  if (lse && step.pattern) ops.probabilities(step.pattern, step.pattern, lse)
  if (!c.gated) return attended
  const gated = splitHeads(scratch.replacing(attended), H)
  ops.gate(gated, lastOf(queries, d, d), splitHeads(attended, H), 'sigmoid')
  return joinHeads(gated)
}

/** Heads x [T, heads, d] normed, where the model norms them, and rotated by their positions. */
function positioned(
  step: AttentionStep,
  x: Tensor,
  norm: Norm | null,
  c: GroupedAttentionConfig,
  cosSin: Tensor | undefined,
): Tensor {
  if (!norm) return rotated(step, x, cosSin)
  if (c.qkNormLate) return normed(step, rotated(step, x, cosSin), norm, c)
  return rotated(step, normed(step, x, norm, c), cosSin)
}

/** Rope turns the first numbers of each head, all of them or as many as it has angles for. */
function rotated({ ops, scratch, rope }: AttentionStep, x: Tensor, cosSin: Tensor | undefined): Tensor {
  if (!rope || !cosSin) return x
  const y = scratch.replacing(x)
  ops.rope(y, x, cosSin, rope.interleaved)
  return y
}

function normed(
  { ops, scratch }: AttentionStep,
  x: Tensor,
  norm: Norm,
  { qkNormWide }: GroupedAttentionConfig,
): Tensor {
  const y = scratch.replacing(x)
  if (qkNormWide) normalise(ops, joinHeads(y), joinHeads(x), norm)
  else normalise(ops, y, x, norm)
  return y
}

function project(
  step: AttentionStep,
  w: GroupedWeights,
  c: GroupedAttentionConfig,
  x: Tensor,
): [Tensor, Tensor, Tensor] {
  const { scratch, tokens: T } = step
  const sizes = [(c.gated ? 2 : 1) * c.nHeads * c.headDim, c.nKvHeads * c.headDim, c.nKvHeads * c.headDim] as const
  const heads = [c.nHeads, c.nKvHeads, c.nKvHeads] as const
  const all = scratch.take([T, sizes[0] + sizes[1] + sizes[2]])
  const parts = [
    lastOf(all, 0, sizes[0]),
    lastOf(all, sizes[0], sizes[1]),
    lastOf(all, sizes[0] + sizes[1], sizes[2]),
  ] as const
  if (w.qkv.length === 1) linear(step, all, x, w.qkv[0])
  else for (const [i, l] of w.qkv.entries()) linear(step, parts[i] as Tensor, x, l)
  return [splitHeads(parts[0], heads[0]), splitHeads(parts[1], heads[1]), splitHeads(parts[2], heads[2])]
}
