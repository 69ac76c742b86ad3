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
import type { LatentAttentionConfig } from './config.ts'
import { expandLatents, type KeyValueUp } from './mla-up.ts'
import { type AttentionStep, type ExpandedSpan, type LatentSlices, patternRows } from './step.ts'

/** Keys expanded at once. */
export const KEY_CHUNK = 1024

/** q [T, H, N + R], out [T, H, V]. */
export function attendExpanded(
  step: AttentionStep,
  keyValueUp: KeyValueUp,
  c: LatentAttentionConfig,
  slices: LatentSlices,
  q: Tensor,
  out: Tensor,
  span: ExpandedSpan,
): void {
  const { kernels: k, arena } = step
  const { nHeads: H, kvLoraRank: C, qkRopeHeadDim: R, qkNopeHeadDim: N, vHeadDim: V } = c
  const mark = arena.mark()
  const lse = arena.take([span.count, H])
  // As exact as the rows that keys and values come from.
  const factors = slices.latent.dtype === 'f32' || slices.latent.dtype === 'f16' ? 'f32' : 'bf16'
  const scores = step.pattern ? patternRows(step.pattern, span.start, span.count) : null

  for (const [i, { keyCount: S, sequence }] of span.keyChunks.entries()) {
    const chunk = arena.mark()
    const latents = arena.take([S, C])
    const ropeKeys = arena.take([S, R])
    const expanded = arena.take([S, H, N + V])
    k.cacheRead(latents, slices.latent, sequence)
    k.cacheRead(ropeKeys, slices.ropeKey, sequence)
    expandLatents(k, expanded, latents, keyValueUp, c, factors) // per head [N key ; V value]
    const rows = reshape(expanded, [S, H * (N + V)])
    const perHead: Omit<RowSlice, 'offset' | 'width'> = { rows, dtype: 'f32', heads: H, headStride: N + V }
    k.attention({
      out: rowsOf(out, span.start, span.count),
      q: rowsOf(q, span.start, span.count),
      keys: [
        { ...perHead, offset: 0, width: N },
        { rows: ropeKeys, dtype: 'f32', heads: 1, headStride: R, offset: 0, width: R },
      ],
      values: { ...perHead, offset: N * 4, width: V },
      sequences: sequence,
      scale: c.softmaxScale,
      factors,
      lse,
      carry: i > 0,
      ...(scores && { scores, scoresStart: 0 }),
    })
    arena.release(chunk)
  }
  if (scores) k.probabilities(scores, scores, lse)
  arena.release(mark)
}
