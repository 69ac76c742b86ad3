/** Small bundles of prepared weights that every room above uses: an affine map, a low-rank change of one, and a norm. */

import type { MatmulOptions } from '../kernels/contract/operation-options.ts'
import type { Weight } from '../kernels/contract/weights.ts'
import type { Operations } from '../kernels/operations/table.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Scratch } from './scratch.ts'

/** What an adapter adds to a matrix W (LoRA, arXiv 2106.09685): W + scale * up down. */
export interface LowRank {
  /** [r, cols] */
  readonly down: Weight
  /** [rows, r] */
  readonly up: Weight
  readonly scale: number
}

/** y = W x + bias; with an adapter, y = (W + scale * up down) x + bias. */
export interface Linear {
  readonly weight: Weight
  /** f32 [rows] */
  readonly bias: Tensor | null
  /** Default: none. */
  readonly adapter?: LowRank
}

/** Operations, and the memory for what is between them. */
export interface Workplace {
  readonly ops: Operations
  readonly scratch: Scratch
}

export function linear(at: Workplace, y: Tensor, x: Tensor, l: Linear, options?: Omit<MatmulOptions, 'bias'>): void {
  const { ops, scratch } = at
  const mark = scratch.mark()
  const residual = l.adapter && adapted(at, x, l.adapter, options)
  const all = residual ? { ...options, residual } : options
  ops.matmul(y, x, l.weight, l.bias ? { ...all, bias: l.bias } : all)
  scratch.release(mark)
}

/** residual + scale * what the adapter adds to x [T, cols]: [T, rows], in scratch memory. */
export function adapted(
  { ops, scratch }: Workplace,
  x: Tensor,
  { down, up, scale: own }: LowRank,
  { residual, scale = 1 }: Omit<MatmulOptions, 'bias'> = {},
): Tensor {
  const T = x.shape[0] as number
  const low = scratch.take([T, down.rows])
  const sum = scratch.take([T, up.rows])
  ops.matmul(low, x, down)
  ops.matmul(sum, low, up, { scale: scale * own, ...(residual && { residual }) })
  return sum
}

/** RMSNorm, or LayerNorm with a bias. */
export interface Norm {
  readonly kind: 'rms' | 'layer'
  readonly eps: number
  /** f32 [n] */
  readonly weight: Tensor
  readonly bias: Tensor | null
  /** The normed row is multiplied by sigmoid(up silu(down row)) (A.X-K2). Default: it is not. */
  readonly gate?: { readonly down: Linear; readonly up: Linear }
}

/** x [T, D] normed, and gated where the norm has a gate. Returns y. */
export function normed(at: Workplace, y: Tensor, x: Tensor, norm: Norm): Tensor {
  const { ops, scratch } = at
  normalise(ops, y, x, norm)
  if (!norm.gate) return y
  const mark = scratch.mark()
  const low = scratch.take([x.shape[0] as number, norm.gate.down.weight.rows])
  const factor = scratch.take(x.shape)
  linear(at, low, y, norm.gate.down)
  const active = scratch.replacing(low)
  ops.activate(active, low, 'silu')
  linear(at, factor, active, norm.gate.up)
  const gated = scratch.replacing(y)
  ops.gate(gated, factor, y, 'sigmoid')
  scratch.release(mark)
  return gated
}

/** The norm alone, without a gate. */
export function normalise(ops: Operations, y: Tensor, x: Tensor, norm: Norm): void {
  if (norm.kind === 'rms') ops.rmsNorm(y, x, norm.weight, norm.eps)
  else ops.layerNorm(y, x, norm.weight, norm.bias, norm.eps)
}
