/**
 * An adapter on the joined up-projection of MLA, where it is never multiplied by the latents itself (`mla-absorbed`): with A = down and
 * B = up, whose rows are per head N key rows, then V value rows,
 *
 *     q̃_h += scale Aᵀ (B_UK,hᵀ q_h)     out_h += scale B_UV,h (A x_h)
 */
import { reshape, type Tensor } from '../../tensor/tensor.ts'
import type { LowRank, Workplace } from '../layers.ts'
import type { LatentAttentionConfig } from './config.ts'

/** Adds to queries in the latent space, y [T, H, C], from q [T, H, N]. Both strided. */
export function adaptQueries(
  { ops, scratch }: Workplace,
  y: Tensor,
  q: Tensor,
  { down, up, scale }: LowRank,
  { qkNopeHeadDim: N, vHeadDim: V }: LatentAttentionConfig,
): void {
  const [T, H, C] = y.shape as [number, number, number]
  const mark = scratch.mark()
  const low = scratch.take([T, H, down.rows])
  const added = scratch.take([T, H, C])
  ops.headMatmul(low, q, up, { headRows: N + V, firstRow: 0, rows: N, transposed: true })
  const one = (t: Tensor) => reshape(t, [T * H, 1, t.shape[2] as number])
  ops.headMatmul(one(added), one(low), down, { headRows: down.rows, firstRow: 0, rows: down.rows, transposed: true })
  ops.axpby(y, 1, y, scale, added)
  scratch.release(mark)
}

/** Adds to values of every head, y [T, H, V], strided, from weighted latents x [T, H, C], contiguous. */
export function adaptValues(
  { ops, scratch }: Workplace,
  y: Tensor,
  x: Tensor,
  { down, up, scale }: LowRank,
  { qkNopeHeadDim: N, vHeadDim: V }: LatentAttentionConfig,
): void {
  const [T, H, C] = x.shape as [number, number, number]
  const mark = scratch.mark()
  const low = scratch.take([T, H, down.rows])
  const added = scratch.take([T, H, V])
  ops.matmul(reshape(low, [T * H, down.rows]), reshape(x, [T * H, C]), down)
  ops.headMatmul(added, low, up, { headRows: N + V, firstRow: N, rows: V, transposed: false })
  ops.axpby(y, 1, y, scale, added)
  scratch.release(mark)
}
