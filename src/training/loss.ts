import type { MatmulOptions } from '../kernels/contract/operation-options.ts'
import type { Operations } from '../kernels/operations/table.ts'
import type { Linear } from '../nn/layers.ts'
import { linear } from '../nn/layers.ts'
import type { Scratch } from '../nn/scratch.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import type { Parameters } from './parameters.ts'

/** Logits that are held at a time, and of how many rows at least and at most: a gradient of the output is read and written once for them. */
const LOGITS = 1 << 22
const [MIN_ROWS, MAX_ROWS] = [256, 1024]

export interface LossOptions {
  /** Default 0. */
  readonly smoothing?: number
  /** Default 0. */
  readonly zLoss?: number
}

/** What turns rows into logits. */
export interface LastProduct {
  readonly output: Linear
  readonly logitScale: number
}

/** Rows x [n, D], and where their gradients are added; null: there is no backward pass. */
export interface LossRows {
  readonly x: Tensor
  readonly dx: Tensor | null
}

/** How many of n rows have their logits in memory at a time: all of them would take as much memory as the model's activations. */
export function rowsAtATime(n: number, vocabulary: number): number {
  return Math.min(n, MAX_ROWS, Math.max(MIN_ROWS, Math.floor(LOGITS / vocabulary)))
}

/**
 * The losses of rows x [n, D], f32 [n], and their gradients: added to dx and to those of the output's weights. `lossOf` records the losses of `count` rows
 * from `row` on, and puts the gradients of their logits, f32 [count, vocab], in place of these.
 */
export function lossOfLogits(
  ops: Operations,
  scratch: Scratch,
  parameters: Parameters,
  { output, logitScale }: LastProduct,
  { x, dx }: LossRows,
  lossOf: (losses: Tensor, logits: Tensor, row: number, count: number) => void,
): Tensor {
  const n = x.shape[0] as number
  const V = output.weight.rows
  const each = rowsAtATime(n, V)
  const losses = scratch.take([n])
  const logits = scratch.take([each, V])
  const weight = parameters.of(output.weight)
  const bias = output.bias && parameters.of(output.bias)
  const settings: MatmulOptions = { scale: logitScale }
  for (let row = 0; row < n; row += each) {
    const count = Math.min(each, n - row)
    const [part, from] = [rowsOf(logits, 0, count), rowsOf(x, row, count)]
    linear({ ops, scratch }, part, from, output, settings)
    lossOf(rowsOf(losses, row, count), part, row, count)
    if (!dx) continue
    ops.matmulBackward(rowsOf(dx, row, count), part, output.weight, logitScale)
    if (weight) ops.weightBackward(weight.gradient, part, from, logitScale)
    if (bias) ops.sumRows(bias.gradient, part, logitScale)
  }
  return losses
}

/** The same against targets i32 [n] (below 0: none); gradients are of the sum of the losses times `scale`. */
export function lossOfRows(
  ops: Operations,
  scratch: Scratch,
  parameters: Parameters,
  last: LastProduct,
  { targets, ...rows }: LossRows & { readonly targets: Tensor },
  scale: number,
  options: LossOptions = {},
): Tensor {
  return lossOfLogits(ops, scratch, parameters, last, rows, (losses, logits, row, count) =>
    ops.crossEntropy(losses, logits, logits, rowsOf(targets, row, count), { ...options, scale }),
  )
}
