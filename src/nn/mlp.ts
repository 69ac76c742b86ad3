import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Activation } from '../kernels/contract/operations.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Arena } from './arena.ts'
import { linear } from './layers.ts'
import type { DenseMlpWeights } from './weights.ts'

/** y = residual + scale * down(act(gate x) * up x); without gate, down(act(up x)). x, y, residual [T, D]. */
export function denseMlp(
  k: Kernels,
  arena: Arena,
  w: DenseMlpWeights,
  activation: Activation,
  y: Tensor,
  x: Tensor,
  join?: { readonly residual: Tensor; readonly scale: number },
): void {
  const T = x.shape[0] as number
  const mark = arena.mark()
  const hidden = arena.take([T, w.up.weight.rows]) // [T, F]
  linear(k, hidden, x, w.up)
  if (w.gate) {
    const gate = arena.take([T, w.gate.weight.rows])
    linear(k, gate, x, w.gate)
    k.gate(hidden, gate, hidden, activation)
  } else {
    k.activate(hidden, hidden, activation)
  }
  linear(k, y, hidden, w.down, join)
  arena.release(mark)
}
