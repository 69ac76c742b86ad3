/**
 * Attention with its own keys and values per head or group of heads: MHA (arXiv 1706.03762), MQA (arXiv 1911.02150)
 * and GQA (arXiv 2305.13245) differ only in `nKvHeads`; a sliding window (Mistral) only in the mask.
 */

import { joinHeads, lastOf, rowsOf, splitHeads, type Tensor } from '../../tensor/tensor.ts'
import { type Linear, linear, type Norm, normalise } from '../layers.ts'
import type { GroupedAttentionConfig } from './config.ts'
import type { StoredKeys } from './keys.ts'
import { type AttentionStep, patternRows } from './step.ts'

export interface GroupedWeights {
  /**
   * One matrix with the rows of q, k and v in this order, or three; without those that the layer does not have. Of gated attention each head of q
   * has its gate's rows behind its own.
   */
  readonly qkv: readonly Linear[]
  readonly queryNorm: Norm | null
  readonly keyNorm: Norm | null
  /** Ones, where values are normed. Default: they are not. */
  readonly valueNorm?: Norm
  /** f32 [H], where the config has sinks. */
  readonly sinks: Tensor | null
  /** [D, H d] */
  readonly out: Linear
}

/** x [T, D] -> what the heads found, [T, H d], before the output projection. */
export function groupedAttention(step: AttentionStep, w: GroupedWeights, c: GroupedAttentionConfig, x: Tensor): Tensor {
  const { ops, scratch, tokens: T, group, window, bias, seesAll } = step
  const { nHeads: H, headDim: d } = c

  const attended = scratch.take([T, H * d])
  const { queries, own } = project(step, w, c, x)
  const q = c.gated ? lastOf(queries, 0, d) : queries
  const query = positioned(step, q, w.queryNorm, c, step.rope?.queryCosSin)
  const [cachedKeys, cachedValues] = own ? stored(step, w, c, own) : storedBefore(step, c)

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

/** Keys and values of the step's tokens, [T, G, d] as they are projected, in the store with those before them. */
function stored(
  step: AttentionStep,
  w: GroupedWeights,
  c: GroupedAttentionConfig,
  { key, value }: { readonly key: Tensor; readonly value: Tensor },
): [StoredKeys, StoredKeys] {
  const { ops, scratch, keys, layer, group } = step
  const values = w.valueNorm ? scratch.take(value.shape) : value
  if (w.valueNorm) normalise(ops, values, value, w.valueNorm)
  // Values first: they may be what the keys are before they are normed in place.
  const cachedValues = keys.put(layer, 'value', values, group)
  return [keys.put(layer, 'key', positioned(step, key, w.keyNorm, c, step.rope?.cosSin), group), cachedValues]
}

/** What an earlier layer has stored of these tokens and those before them. */
function storedBefore({ keys, group }: AttentionStep, { keysOf }: GroupedAttentionConfig): [StoredKeys, StoredKeys] {
  const of = (segment: string) => keys.stored(keysOf as number, segment, group)
  return [of('key'), of('value')]
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

interface Projected {
  /** [T, H, d] or, gated, [T, H, 2 d] */
  readonly queries: Tensor
  /** [T, G, d] each; null: the layer reads those of another. */
  readonly own: { readonly key: Tensor; readonly value: Tensor } | null
}

function project(step: AttentionStep, w: GroupedWeights, c: GroupedAttentionConfig, x: Tensor): Projected {
  const { scratch, tokens: T } = step
  const kv = c.nKvHeads * c.headDim
  const sizes = [(c.gated ? 2 : 1) * c.nHeads * c.headDim, kv, kv].slice(0, projectionsOf(c))
  const all = scratch.take([T, sizes.reduce((sum, size) => sum + size, 0)])
  const found = sizes.map((size, i) => lastOf(all, i === 0 ? 0 : (sizes[0] as number) + (i - 1) * kv, size))
  if (w.qkv.length === 1) linear(step, all, x, w.qkv[0] as Linear)
  else for (const [i, l] of w.qkv.entries()) linear(step, found[i] as Tensor, x, l)
  const [queries, key, value = key] = found as [Tensor, Tensor?, Tensor?]
  const heads = (t: Tensor) => splitHeads(t, c.nKvHeads)
  return {
    queries: splitHeads(queries, c.nHeads),
    own: key && value ? { key: heads(key), value: heads(value) } : null,
  }
}

/** Of q, k and v those that a layer projects. */
export function projectionsOf({ keysOf, keysAreValues }: GroupedAttentionConfig): 1 | 2 | 3 {
  return keysOf !== undefined ? 1 : keysAreValues ? 2 : 3
}
