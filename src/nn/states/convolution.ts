/** The gated short convolution of LFM2, which looks at a few rows of the stream in place of attending. */
import { lastOf, rowsOf, type Tensor } from '../../tensor/tensor.ts'
import type { AttentionStep } from '../attention/step.ts'
import { type Linear, linear } from '../layers.ts'

export interface ConvolutionWeights {
  /** [3 D, D]: the rows of B, C and x. */
  readonly in: Linear
  /** f32 [D, K] */
  readonly kernel: Tensor
  /** f32 [D] */
  readonly bias: Tensor | null
  /** [D, D] */
  readonly out: Linear
}

/** x [T, D] -> [T, D], before the output projection. */
export function shortConvolution(step: AttentionStep, w: ConvolutionWeights, x: Tensor): Tensor {
  const { ops, scratch, keys, layer, tokens: T, group } = step
  const D = w.kernel.shape[0] as number
  const y = scratch.take([T, D])
  const all = scratch.take([T, 3 * D])
  linear(step, all, x, w.in)
  const place = keys.state(layer, 'convolution')
  for (const { start, count, sequences } of group.all) {
    const part = (from: number) => rowsOf(lastOf(all, from * D, D), start, count)
    const gates = { before: part(0), after: part(1), bias: w.bias }
    ops.shortConv(rowsOf(y, start, count), part(2), w.kernel, place, sequences, gates)
  }
  return y
}
