/**
 * Attention of a decoder to what an encoder made of a source text (arXiv 1706.03762, section 3.2.3): queries of the text, keys and values
 * of the source. These are projected once, when the source is read, and cached; every query sees all of them.
 */
import { rowsOf, splitHeads, type Tensor } from '../../tensor/tensor.ts'
import { type Linear, linear, type Norm, type Workplace } from '../layers.ts'
import type { GroupedAttentionConfig } from './config.ts'
import type { KeyStore } from './keys.ts'
import type { StepGroup } from './runs.ts'
import { type AttentionStep, type CrossStep, patternRows } from './step.ts'

export interface CrossWeights {
  /** Before the attention (`post`: after it has joined the stream). */
  readonly norm: Norm
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  /** [D, H d] */
  readonly out: Linear
}

/** x [T, D] -> what the heads found in the source, [T, H d], before the output projection. */
export function crossAttention(step: AttentionStep, w: CrossWeights, c: GroupedAttentionConfig, x: Tensor): Tensor {
  const { ops, scratch, tokens: T } = step
  const { keys, values, group, pattern } = step.cross as CrossStep
  const { nHeads: H, headDim: d } = c
  const attended = scratch.take([T, H * d])
  const query = scratch.take([T, H * d])
  linear(step, query, x, w.query)
  const lse = pattern && scratch.take([T, H])
  for (const run of group.all) {
    const rows = (t: Tensor) => rowsOf(t, run.start, run.count)
    const scores = pattern && patternRows(pattern, run.start, run.count)
    ops.attention({
      out: rows(splitHeads(attended, H)),
      q: rows(splitHeads(query, H)),
      keys: [keys.slice(run)],
      values: values.slice(run),
      sequences: run.sequences,
      scale: c.softmaxScale,
      ...(lse && scores && { lse: rows(lse), scores, scoresStart: 0 }),
    })
  }
  if (lse && pattern) ops.probabilities(pattern, pattern, lse)
  return attended
}

/** Keys and values of a source for one layer, from the encoder's states x [S, D], to where `crossAttention` finds them. */
export function storeSource(
  at: Workplace & { readonly keys: KeyStore },
  w: CrossWeights,
  c: GroupedAttentionConfig,
  x: Tensor,
  rows: number,
  group: StepGroup,
): void {
  const { scratch, keys } = at
  const mark = scratch.mark()
  for (const [segment, projection] of [['key', w.key] as const, ['value', w.value] as const]) {
    const made = scratch.take([x.shape[0] as number, c.nKvHeads * c.headDim])
    linear(at, made, x, projection)
    keys.put(rows, segment, splitHeads(made, c.nKvHeads), group)
  }
  scratch.release(mark)
}
