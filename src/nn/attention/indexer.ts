/**
 * Sparse attention (DeepSeek-V3.2, arXiv 2512.02556, section 2.1; its code's Hadamard rotation changes no product and serves FP8, so it is left
 * out): an indexer scores all keys for each query, and attention sees the `topK` largest.
 *
 *     I[t, s] = sum_h w[t, h] ReLU(q[t, h] . k[s])
 */
import type { SelectedKeys } from '../../kernels/contract/attention-args.ts'
import { rowsOf, splitHeads, type Tensor } from '../../tensor/tensor.ts'
import { type Linear, linear, type Norm, normalise } from '../layers.ts'
import type { IndexerConfig, LatentAttentionConfig } from './config.ts'
import type { StoredKeys } from './keys.ts'
import type { QueryRun } from './runs.ts'
import type { AttentionStep } from './step.ts'

export interface IndexerWeights {
  /** [Hi d, Q], of the query's latent. */
  readonly query: Linear
  /** [d, D] */
  readonly key: Linear
  readonly keyNorm: Norm
  /** [Hi, D]: how much each head counts. */
  readonly weights: Linear
}

/** Queries whose scores are in memory at once. */
const QUERIES = 64

/**
 * Writes the chosen keys of all queries to `step.selected`. x [T, D], latent [T, Q]. Where no query can have more keys than it may choose, only
 * the keys are computed.
 */
export function chooseKeys(step: AttentionStep, w: IndexerWeights, c: IndexerConfig, x: Tensor, latent: Tensor): void {
  const { ops, scratch, keys, layer, tokens: T, group } = step
  const { nHeads: H, headDim: d } = c
  const mark = scratch.mark()
  const key = scratch.take([T, d])
  linear(step, key, x, w.key)
  const normed = scratch.replacing(key)
  normalise(ops, normed, key, w.keyNorm)
  const stored = keys.put(layer, 'indexKey', rotated(step, splitHeads(normed, 1), c), group)
  if (isSparse(c, stored) || step.indexScores) {
    const query = scratch.take([T, H * d])
    linear(step, query, latent, w.query)
    const q = rotated(step, splitHeads(query, H), c) // [T, Hi, d]
    const weights = scratch.take([T, H])
    linear(step, weights, x, w.weights)
    for (const run of group.all) chooseOf(step, c, stored, run, q, weights)
  }
  scratch.release(mark)
}

/** q [T, Hi, d] and weights [T, Hi] of all rows of the step. */
function chooseOf(
  { ops, scratch, selected, indexScores }: AttentionStep,
  { nHeads: H, headDim: d }: IndexerConfig,
  stored: StoredKeys,
  run: QueryRun,
  q: Tensor,
  weights: Tensor,
): void {
  if (!run.queries || !selected) throw new TypeError('chooseKeys: the step was planned for queries that see all keys')
  const rows = (t: Tensor) => rowsOf(t, run.start, run.count)
  for (let first = 0; first < run.count; first += QUERIES) {
    const count = Math.min(QUERIES, run.count - first)
    const mark = scratch.mark()
    const sequences = { ...run.queries, rows: rowsOf(run.queries.rows, first, count) }
    const scores = indexScores ? rowsOf(indexScores, run.start + first, count) : scratch.take([count, stored.capacity])
    ops.indexScores({
      scores,
      q: rows(q),
      weights: rows(weights),
      keys: stored.slice(run),
      sequences,
      scale: (H * d) ** -0.5,
    })
    ops.selectKeys(rows(selected), scores, sequences)
    scratch.release(mark)
  }
}

/** The first numbers of each head, as many as rope has angles for. */
function rotated({ ops, scratch, rope }: AttentionStep, x: Tensor, { interleaved }: IndexerConfig): Tensor {
  if (!rope) return x
  const y = scratch.replacing(x)
  ops.rope(y, x, rope.cosSin, interleaved)
  return y
}

/** Whether some query of the step may have more keys than it chooses. `stored`: of any segment of the layer. */
function isSparse({ topK }: IndexerConfig, { capacity }: StoredKeys): boolean {
  return capacity > topK
}

/** What queries start .. + count attend to, for `attention`; undefined: to all keys. */
export function selectedKeys(
  { selected }: AttentionStep,
  { indexer }: LatentAttentionConfig,
  stored: StoredKeys,
  { start, count }: { readonly start: number; readonly count: number },
  gather: boolean,
): SelectedKeys | undefined {
  if (!selected || !indexer || !isSparse(indexer, stored)) return undefined
  return { positions: rowsOf(selected, start, count), gather }
}
