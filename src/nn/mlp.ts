import type { Activation } from '../kernels/contract/operation-options.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Backend } from './attention/step.ts'
import { linear } from './layers.ts'
import type { DenseMlpWeights } from './weights.ts'

/** y = residual + scale * down(act(gate x) * up x); without gate, down(act(up x)). x, y, residual [T, D]. y may be x. */
export function denseMlp(
  at: Backend,
  w: DenseMlpWeights,
  activation: Activation,
  y: Tensor,
  x: Tensor,
  join?: { readonly residual: Tensor; readonly scale: number },
): void {
  const { ops, scratch } = at
  const T = x.shape[0] as number
  const mark = scratch.mark()
  const up = scratch.take([T, w.up.weight.rows]) // [T, F]
  linear(at, up, x, w.up)
  const hidden = scratch.replacing(up)
  if (w.gate) {
    const gate = scratch.take([T, w.gate.weight.rows])
    linear(at, gate, x, w.gate)
    ops.gate(hidden, gate, up, activation)
  } else {
    ops.activate(hidden, up, activation)
  }
  linear(at, y, hidden, w.down, join)
  scratch.release(mark)
}
