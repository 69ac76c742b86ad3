import type { MatmulOptions } from '../kernels/contract/operation-options.ts'
import type { Operations } from '../kernels/operations/table.ts'
import type { Linear } from '../nn/layers.ts'
import { linear } from '../nn/layers.ts'
import type { Scratch } from '../nn/scratch.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import type { Parameters } from './parameters.ts'

/** Logits that are held at a time, and of how many rows at least and at most: a gradient of the output is read and written once for them. */
const LOGITS = 1 << 22
const [LEAST_ROWS, MOST_ROWS] = [256, 1024]

export interface LossOptions {
  /** Default 0. */
  readonly smoothing?: number
  /** Default 0. */
  readonly zLoss?: number
}

/**
 * The losses of rows x [n, D] against their targets i32 [n] (below 0: none), f32 [n]; and, where there is a `dx`, the gradients of their
 * sum times `scale`: added to dx and to those of the output's weights. Logits of a few rows at a time: all of them would take as much memory
 * as the model's activations.
 */
export function lossOfRows(
  ops: Operations,
  scratch: Scratch,
  parameters: Parameters,
  { output, logitScale }: { readonly output: Linear; readonly logitScale: number },
  { x, dx, targets }: { readonly x: Tensor; readonly dx: Tensor | null; readonly targets: Tensor },
  scale: number,
  options: LossOptions = {},
): Tensor {
  const n = x.shape[0] as number
  const V = output.weight.rows
  const each = Math.min(n, MOST_ROWS, Math.max(LEAST_ROWS, Math.floor(LOGITS / V)))
  const losses = scratch.take([n])
  const logits = scratch.take([each, V])
  const weight = parameters.of(output.weight)
  const bias = output.bias && parameters.of(output.bias)
  const settings: MatmulOptions = { scale: logitScale }
  for (let row = 0; row < n; row += each) {
    const count = Math.min(each, n - row)
    const [part, from] = [rowsOf(logits, 0, count), rowsOf(x, row, count)]
    linear({ ops, scratch }, part, from, output, settings)
    ops.crossEntropy(rowsOf(losses, row, count), part, part, rowsOf(targets, row, count), { ...options, scale })
    if (!dx) continue
    ops.matmulBackward(rowsOf(dx, row, count), part, output.weight, logitScale)
    if (weight) ops.weightBackward(weight.gradient, part, from, logitScale)
    if (bias) ops.sumRows(bias.gradient, part, logitScale)
  }
  return losses
}
