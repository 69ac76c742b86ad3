import { type Tensor, view } from '../tensor/tensor.ts'
import type { Workplace } from './layers.ts'

/**
 * y = min(silu(gate), limit) clamp(up, -limit, limit): SwiGLU whose factors have a limit (Ling 3.0's `expert_swiglu_limit_list`, as vLLM and
 * llama.cpp compute it). y, gate, up [T, F]; gate and up are overwritten, y may be one of them.
 */
export function limitedGate(at: Workplace, y: Tensor, gate: Tensor, up: Tensor, limit: number): void {
  const { ops } = at
  atMost(at, gate, inputOf(limit))
  atMost(at, up, limit)
  ops.axpby(up, -1, up)
  atMost(at, up, limit)
  ops.axpby(up, -1, up)
  ops.gate(y, gate, up, 'silu')
}

/** Where silu, which grows from there on, reaches `limit`: g = limit (1 + exp(-g)), whose slope is below 0.4. */
function inputOf(limit: number): number {
  let g = limit
  for (let i = 0; i < 64; i++) g = limit * (1 + Math.exp(-g))
  return g
}

/** x = min(x, limit), of x [T, F]: with up 0 and alpha 0 the clamped gate is half of that, exactly. */
function atMost({ ops, scratch }: Workplace, x: Tensor, limit: number): void {
  const [T, F] = x.shape as [number, number]
  const mark = scratch.mark()
  const none = scratch.take([F])
  ops.fill(none, 0)
  ops.clampedGate(x, x, view(none, 0, [T, F], [0, 1]), { alpha: 0, limit })
  ops.axpby(x, 2, x)
  scratch.release(mark)
}
