import type { Activation } from '../kernels/contract/operation-options.ts'
import { lastOf, type Tensor } from '../tensor/tensor.ts'
import { linear, type Workplace } from './layers.ts'
import { limitedGate } from './limited-gate.ts'
import type { DenseMlpWeights } from './weights.ts'

/**
 * y = residual + scale * down(act(gate x) * up x); without gate, down(act(up x)); gate and up may be one matrix. `limit`: of the gated
 * factors, which `limitedGate` joins then. x, y, residual [T, D]. y may be x.
 */
export function denseMlp(
  at: Workplace,
  w: DenseMlpWeights,
  activation: Activation,
  y: Tensor,
  x: Tensor,
  join?: { readonly residual: Tensor; readonly scale: number },
  limit?: number | null,
): void {
  const { scratch } = at
  const T = x.shape[0] as number
  const mark = scratch.mark()
  const up = scratch.take([T, w.up.weight.rows]) // [T, F], or gate and up [T, 2 F]
  linear(at, up, x, w.up)
  const hidden = activated(at, w, activation, x, up, limit)
  linear(at, y, hidden, w.down, join)
  scratch.release(mark)
}

/** What the MLP's last product reads, [T, F]. */
function activated(
  at: Workplace,
  w: DenseMlpWeights,
  activation: Activation,
  x: Tensor,
  up: Tensor,
  limit?: number | null,
): Tensor {
  const { ops, scratch } = at
  const [T, rows] = up.shape as [number, number]
  const F = w.down.weight.cols
  if (rows !== F) {
    const hidden = scratch.take([T, F])
    ops.gate(hidden, lastOf(up, 0, F), lastOf(up, F, F), activation)
    return hidden
  }
  const hidden = scratch.replacing(up)
  if (w.gate) {
    const gate = scratch.take([T, F])
    linear(at, gate, x, w.gate)
    if (limit) limitedGate(at, hidden, gate, up, limit)
    else ops.gate(hidden, gate, up, activation)
  } else {
    ops.activate(hidden, up, activation)
  }
  return hidden
}
