/**
 * MLA, expanded: the latents become keys and values per head, then it is ordinary attention with H heads of N + R.
 *
 *     k_h = [W_UK,h c ; r]     v_h = W_UV,h c     score = q_h · k_h     out_h = Σ p v_h
 *
 * A long context is expanded in chunks of keys whose results are merged by log-sum-exp: the chunks lie on a fixed grid
 * of positions, so that a query's bits do not depend on how many queries stand beside it.
 */
import type { RowSlice } from '../../kernels/contract/cached-rows.ts'
import { reshape, rowsOf, type Tensor } from '../../tensor/tensor.ts'
import { adapted } from '../layers.ts'
import type { LatentAttentionConfig } from './config.ts'
import { selectedKeys } from './indexer.ts'
import { expandLatents, type KeyValueUp } from './mla-up.ts'
import type { ExpandedSpan } from './runs.ts'
import { type AttentionStep, patternRows, type StoredLatents } from './step.ts'

/** Keys expanded at once. */
export const KEY_CHUNK = 1024

/** q [T, H, N + R], out [T, H, V]. */
export function attendExpanded(
  step: AttentionStep,
  keyValueUp: KeyValueUp,
  c: LatentAttentionConfig,
  stored: StoredLatents,
  q: Tensor,
  out: Tensor,
  span: ExpandedSpan,
): void {
  const { ops, scratch, window } = step
  const { nHeads: H, qkRopeHeadDim: R, qkNopeHeadDim: N, vHeadDim: V } = c
  const mark = scratch.mark()
  const lse = scratch.take([span.count, H])
  // As exact as the rows that keys and values come from.
  const factors = stored.latent.exact ? 'f32' : 'bf16'
  const scores = step.pattern ? patternRows(step.pattern, span.start, span.count) : null
  const selected = selectedKeys(step, c, stored.latent, span, false)

  for (const [i, chunk] of span.keyChunks.entries()) {
    const { keyCount: S, sequence } = chunk
    const chunkMark = scratch.mark()
    const latents = stored.latent.chunk(chunk) // [S, C]
    const ropeKeys = stored.ropeKey.chunk(chunk) // [S, R]
    const expanded = scratch.take([S, H, N + V])
    const added = keyValueUp.adapter && reshape(adapted(step, latents, keyValueUp.adapter), [S, H, N + V])
    expandLatents(ops, expanded, latents, keyValueUp, c, factors, added) // per head [N key ; V value]
    const rows = reshape(expanded, [S, H * (N + V)])
    const perHead: Omit<RowSlice, 'offset' | 'width'> = { rows, dtype: 'f32', heads: H, headStride: N + V }
    ops.attention({
      out: rowsOf(out, span.start, span.count),
      q: rowsOf(q, span.start, span.count),
      keys: [
        { ...perHead, offset: 0, width: N },
        { rows: ropeKeys, dtype: 'f32', heads: 1, headStride: R, offset: 0, width: R },
      ],
      values: { ...perHead, offset: N * 4, width: V },
      sequences: sequence,
      ...(selected && { selected }),
      scale: c.softmaxScale,
      factors,
      ...(window !== null && { window }),
      lse,
      carry: i > 0,
      ...(scores && { scores, scoresStart: 0 }),
    })
    scratch.release(chunkMark)
  }
  if (scores) ops.probabilities(scores, scores, lse)
  scratch.release(mark)
}
