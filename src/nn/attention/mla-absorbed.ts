/**
 * MLA, absorbed: the query moves into the latent space, where all heads share one key, the cached row itself, and one
 * value, its first C numbers. Attention with one key head of width C + R.
 *
 *     q̃_h = W_UK,hᵀ q_h     score = q̃_h · c + q_rope,h · r     out_h = W_UV,h Σ p c
 *
 * The two up-projections stay apart: two thin products are cheaper than one merged matrix.
 */
import { lastOf, rowsOf, type Tensor } from '../../tensor/tensor.ts'
import type { LatentAttentionConfig } from './config.ts'
import { selectedKeys } from './indexer.ts'
import { adaptQueries, adaptValues } from './mla-adapter.ts'
import { absorbQueries, type KeyValueUp, upProjectValues } from './mla-up.ts'
import type { QueryRun } from './runs.ts'
import { type AttentionStep, patternRows, type StoredLatents } from './step.ts'

/** q [T, H, N + R], out [T, H, V]. */
export function attendAbsorbed(
  step: AttentionStep,
  keyValueUp: KeyValueUp,
  c: LatentAttentionConfig,
  { latent, ropeKey }: StoredLatents,
  q: Tensor,
  out: Tensor,
  run: QueryRun,
): void {
  const { ops, scratch, window } = step
  const { nHeads: H, kvLoraRank: C, qkRopeHeadDim: R, qkNopeHeadDim: N } = c
  const mark = scratch.mark()
  const qRun = rowsOf(q, run.start, run.count) // [t, H, N + R]
  const qLatent = scratch.take([run.count, H, C + R])
  const outLatent = scratch.take([run.count, H, C])
  const lse = step.pattern && scratch.take([run.count, H])
  const scores = step.pattern && patternRows(step.pattern, run.start, run.count)

  absorbQueries(ops, lastOf(qLatent, 0, C), lastOf(qRun, 0, N), keyValueUp, c)
  if (keyValueUp.adapter) adaptQueries(step, lastOf(qLatent, 0, C), lastOf(qRun, 0, N), keyValueUp.adapter, c)
  ops.copy(lastOf(qLatent, C, R), lastOf(qRun, N, R))
  const selected = selectedKeys(step, c, latent, run, true)
  ops.attention({
    out: outLatent,
    q: qLatent,
    keys: [latent.slice(run), ropeKey.slice(run)],
    values: latent.slice(run),
    sequences: (selected && run.queries) ?? run.sequences,
    ...(selected && { selected }),
    scale: c.softmaxScale,
    ...(window !== null && { window }),
    ...(lse && { lse }),
    ...(scores && { scores, scoresStart: 0 }),
  })
  const values = rowsOf(out, run.start, run.count)
  upProjectValues(ops, values, outLatent, keyValueUp, c)
  if (keyValueUp.adapter) adaptValues(step, values, outLatent, keyValueUp.adapter, c)
  if (scores && lse) ops.probabilities(scores, scores, lse)
  scratch.release(mark)
}
