/** Small bundles of prepared weights that every room above uses: an affine map and a norm. */

import type { MatmulOptions } from '../kernels/contract/operation-options.ts'
import type { Weight } from '../kernels/contract/weights.ts'
import type { Operations } from '../kernels/operations/table.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** y = W x + bias. */
export interface Linear {
  readonly weight: Weight
  /** f32 [rows] */
  readonly bias: Tensor | null
}

export function linear(ops: Operations, y: Tensor, x: Tensor, l: Linear, options?: Omit<MatmulOptions, 'bias'>): void {
  ops.matmul(y, x, l.weight, l.bias ? { ...options, bias: l.bias } : options)
}

/** RMSNorm, or LayerNorm with a bias. */
export interface Norm {
  readonly kind: 'rms' | 'layer'
  readonly eps: number
  /** f32 [n] */
  readonly weight: Tensor
  readonly bias: Tensor | null
}

export function normalise(ops: Operations, y: Tensor, x: Tensor, norm: Norm): void {
  if (norm.kind === 'rms') ops.rmsNorm(y, x, norm.weight, norm.eps)
  else ops.layerNorm(y, x, norm.weight, norm.bias, norm.eps)
}
