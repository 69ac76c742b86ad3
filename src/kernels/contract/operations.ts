/** Every operation: what a step of a model is made of. */

import type { Tensor } from '../../tensor/tensor.ts'
import type { AttentionArgs } from './attention-args.ts'
import type { RowSlice, Sequences } from './cached-rows.ts'
import type { ExpertWeights, Weight } from './weights.ts'

/** `sigmoid` is for the output gates of gated attention (Qwen3.5, Ling 3.0), `tanh` for soft caps (Gemma 4): families to come. */
export type Activation = 'silu' | 'gelu' | 'gelu_tanh' | 'quick_gelu' | 'relu' | 'relu2' | 'sigmoid' | 'tanh'

export interface MatmulOptions {
  /** f32 [rows]. */
  readonly bias?: Tensor
  /** f32 [T, rows], strided; may be `y`. */
  readonly residual?: Tensor
  /** y = residual + scale * (x Wᵀ + bias). Default 1. */
  readonly scale?: number
}

/** Per-head product: head h uses rows h * headRows + firstRow .. + rows of the weight. */
export interface HeadMatmulOptions {
  readonly headRows: number
  readonly firstRow: number
  readonly rows: number
  /** false: y = x Wᵀ, x has `cols` inputs, y has `rows` outputs. true: y = x W, x has `rows`, y has `cols`. */
  readonly transposed: boolean
  /** `bf16`: x and a quantised weight may be rounded to bf16 before they are multiplied; sums stay f32. Default: `f32`. */
  readonly factors?: 'f32' | 'bf16'
}

export interface RouteOptions {
  readonly scoring: 'softmax' | 'sigmoid'
  /** f32 [E], added for the choice only (V3 `e_score_correction_bias`). */
  readonly bias?: Tensor
  /** Neighbouring experts form E / groups groups. 1: no groups. */
  readonly groups: number
  /** So many groups stay; losers are masked with -inf. */
  readonly topkGroups: number
  /** A group counts by its best (V2, device-limited) or by the sum of its two best choice scores (V3). */
  readonly groupScore: 'max' | 'top2'
  /** Divide the chosen scores (without bias) by their sum + 1e-20. */
  readonly normalise: boolean
  readonly scale: number
}

export interface Operations {
  // ---- rows ---------------------------------------------------------------------------------------------------

  /** y[t, :] = scale * W[ids[t], :]. y f32 [T, cols], ids i32 [T]. Default scale 1. */
  embed(y: Tensor, w: Weight, ids: Tensor, scale?: number): void
  /** y[t, :] = x[index[t], :]. y and x f32, index i32 [T]. */
  gatherRows(y: Tensor, x: Tensor, index: Tensor): void
  /** y = x: of one type, or converted from or to f32 (f16 and bf16, to nearest even). Strided; same shape. */
  copy(y: Tensor, x: Tensor): void
  /** y = a * x + b * z; without z, y = a * x. f32, strided, same shapes; y may be x or z. */
  axpby(y: Tensor, a: number, x: Tensor, b?: number, z?: Tensor): void

  // ---- norms --------------------------------------------------------------------------------------------------

  /** y = x / sqrt(mean(x^2) + eps) * weight over the last axis (arXiv 1910.07467 eq. 4). Strided; y may be x. */
  rmsNorm(y: Tensor, x: Tensor, weight: Tensor, eps: number): void
  /** y = (x - mean) / sqrt(var + eps) * weight + bias, biased variance (arXiv 1607.06450 eq. 4). Strided; y may be x. */
  layerNorm(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, eps: number): void

  // ---- products -----------------------------------------------------------------------------------------------

  /** y[t, n] = sum_k x[t, k] W[n, k], with options. x, y f32 [T, cols], [T, rows]; x and y strided. */
  matmul(y: Tensor, x: Tensor, w: Weight, options?: MatmulOptions): void
  /**
   * The up-projections of MLA head by head: absorbing a query (transposed), raising an output to values (not).
   * x [T, H, in], y [T, H, out], both strided; x's head stride may be 0.
   */
  headMatmul(y: Tensor, x: Tensor, w: Weight, options: HeadMatmulOptions): void

  // ---- pointwise ----------------------------------------------------------------------------------------------

  /** y = act(x). Strided; y may be x. */
  activate(y: Tensor, x: Tensor, activation: Activation): void
  /** y = act(gate) * up (SwiGLU, arXiv 2002.05202 eq. 6). Strided; y may be gate or up. */
  gate(y: Tensor, gate: Tensor, up: Tensor, activation: Activation): void

  // ---- rotary positions ---------------------------------------------------------------------------------------

  /**
   * Rotates the first 2r of the last axis, copies the rest: pairs (2i, 2i+1) if interleaved (RoFormer, arXiv
   * 2104.09864 eq. 34; DeepSeek), else (i, i + r) (NeoX, Llama in hub layout). x, y [T, H, n], strided; y may be x.
   * cosSin f32 [T, 2r]: the cosines of each token's r angles, then the sines. The host computes them, in f64 and rounded
   * once: devices need not have f64.
   */
  rope(y: Tensor, x: Tensor, cosSin: Tensor, interleaved: boolean): void

  // ---- cache and attention ------------------------------------------------------------------------------------

  /**
   * Writes x [T, heads, width] (strided, f32) into the slice at each query token's own position: the row of query i of
   * a sequence is position + i. Rounds to the slice's type. The slice's rows are paged.
   *
   * A scale is the largest magnitude of what shares it, divided in f32 by the largest code (127, 448); a code is the
   * number divided in f32 by the scale, rounded to nearest even. Where the scale is 0 codes are 0; where a number is
   * not finite, the scale is NaN and codes are 0.
   */
  cacheWrite(slice: RowSlice, x: Tensor, sequences: Sequences): void
  /** y [keyCount, heads * width] f32: the slice's numbers at keyStart .. + keyCount of the one sequence. */
  cacheRead(y: Tensor, slice: RowSlice, sequences: Sequences): void
  /** softmax(q kᵀ scale) v for every sequence, over the keys that each query sees (arXiv 1706.03762 eq. 1). */
  attention(args: AttentionArgs): void
  /** p[h, t, s] = exp(scores[h, t, s] - lse[t, h]), 0 where the score is -inf. p, scores [H, T, S] strided; may be equal. */
  probabilities(p: Tensor, scores: Tensor, lse: Tensor): void

  // ---- mixture of experts -------------------------------------------------------------------------------------

  /**
   * indices i32 [T, K] by falling choice score (ties: the lower expert first), weights f32 [T, K], from logits [T, E]
   * (V2 paper 2.1.2-2.1.3, V3 paper eq. 12-16). Of groups with equal scores the lower one stays; NaN is chosen last.
   */
  route(indices: Tensor, weights: Tensor, logits: Tensor, options: RouteOptions): void
  /**
   * Sorts the T * K assignments by expert, stable. plan i32 [E + 1 + 2TK]: offsets of each expert's rows [E + 1], then
   * per grouped row the assignment t * K + j it came from, then per assignment its grouped row.
   */
  groupByExpert(plan: Tensor, indices: Tensor, experts: number): void
  /**
   * y[r, :] = x[row, :] W_eᵀ for each grouped row r of expert e. x is [T, cols] (gather: row = floor(assignment / K))
   * or already grouped [TK, cols]. y [TK, rows].
   */
  expertMatmul(y: Tensor, x: Tensor, w: ExpertWeights, plan: Tensor, gather: boolean): void
  /** y[t, :] = residual[t, :] + sum_j weights[t, j] * part[grouped row of t * K + j, :], j rising. y may be residual. */
  combineExperts(y: Tensor, part: Tensor, weights: Tensor, plan: Tensor, residual: Tensor): void
}
