/** Options of operations. What an operation means stands at its row in the table, src/kernels/operations. */

import type { Tensor } from '../../tensor/tensor.ts'

/** `sigmoid` is for the output gates of gated attention (Qwen3.5, Ling 3.0), `tanh` for soft caps (Gemma 4). */
export type Activation = 'silu' | 'gelu' | 'gelu_tanh' | 'quick_gelu' | 'relu' | 'relu2' | 'sigmoid' | 'tanh'

/** Of `clampedGate`. */
export interface GateClamp {
  /** Factor within the sigmoid (gpt-oss 1.702). */
  readonly alpha: number
  /** Gates are at most this, the others within this on both sides of 0 (gpt-oss 7). */
  readonly limit: number
}

export interface MatmulOptions {
  /** f32 [rows]. */
  readonly bias?: Tensor
  /** f32 [T, rows], strided; may be `y`. */
  readonly residual?: Tensor
  /** y = residual + scale * (x Wᵀ + bias). Default 1. */
  readonly scale?: number
}

/** What factors are rounded to before they are multiplied. Sums are of f32 in both. */
export type Factors = 'f32' | 'bf16'

export interface TrainingMatmulOptions extends MatmulOptions {
  /** Default `f32`. */
  readonly factors?: Factors
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
  /** Experts of groups that lose count 0 in the choice instead of -inf (A.X-K2). Default false. */
  readonly zeroLosers?: boolean
  /** A group counts by its best (V2, device-limited) or by the sum of its two best choice scores (V3). */
  readonly groupScore: 'max' | 'top2'
  /** Divide the chosen scores (without bias) by their sum + 1e-20. */
  readonly normalise: boolean
  readonly scale: number
}

export interface CrossEntropyOptions {
  /** Of the gradient: 1 / number of targets for the mean over them. */
  readonly scale: number
  /** Label smoothing (arXiv 1512.00567, section 7): this share of the target is spread over all tokens. Default 0. */
  readonly smoothing?: number
  /** Adds zLoss * lse^2 (arXiv 2204.02311, section 5), which keeps logits small. Default 0. */
  readonly zLoss?: number
}

export interface AdamWSettings {
  /** The learning rate. */
  readonly rate: number
  readonly beta1: number
  readonly beta2: number
  readonly eps: number
  /** Weight decay; 0: none. */
  readonly decay: number
  /** 1 - beta1^t and 1 - beta2^t at step t, counted from 1. */
  readonly correction1: number
  readonly correction2: number
  /** What gradients are multiplied by: clipping and accumulation. */
  readonly gradientScale: number
}

/** Numbers that one sum of `sumSquares` takes. */
export const SQUARES_EACH = 2 ** 16
