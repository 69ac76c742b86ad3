import type { Weight } from '../kernels/contract/weights.ts'
import { reshape, type Tensor, view } from '../tensor/tensor.ts'
import type { MoeConfig } from './config.ts'
import { type Linear, linear, type Workplace } from './layers.ts'
import { denseMlp } from './mlp.ts'
import type { DenseMlpWeights, MoeWeights } from './weights.ts'

/**
 * DeepSeekMoE (arXiv 2401.06066; V3 paper, arXiv 2412.19437, eq. 12-16): y = residual + shared(x) + sum of the chosen
 * experts, weighted. Tokens are gathered per expert, so that each expert is one product. x, y, residual [T, D].
 * y may be x or residual. Without residual it counts as 0. Returns the chosen experts, i32 [T, K], until their memory is used again.
 */
export function mixtureOfExperts(
  backend: Workplace,
  w: MoeWeights,
  c: MoeConfig,
  y: Tensor,
  x: Tensor,
  residual: Tensor | null,
): Tensor {
  const { ops, scratch } = backend
  const [T, D] = x.shape as [number, number]
  const { nExperts: E, topK: K, expertSize: F, activation } = c
  const mark = scratch.mark()

  const logits = scratch.take([T, E])
  const chosen = scratch.take([T, K], 'i32')
  const weights = scratch.take([T, K])
  const plan = scratch.take([E + 1 + 2 * T * K], 'i32')
  const assignments = view(plan, E + 1, [T * K]) // of each grouped row
  linear(backend, logits, x, w.router)
  ops.route(chosen, weights, logits, w.selectionBias ? { ...c, bias: w.selectionBias } : c)
  ops.groupByExpert(plan, chosen, E)

  const gate = scratch.take([T * K, F])
  const up = scratch.take([T * K, F])
  const unbiased = scratch.take([T * K, D])
  ops.expertMatmul(gate, x, w.gate, plan, true)
  ops.expertMatmul(up, x, w.up, plan, true)
  const { biases } = w
  const biased = (x: Tensor, rows: Weight) => withBiases(backend, x, rows, chosen, assignments)
  const [g, u] = biases ? [biased(gate, biases.gate), biased(up, biases.up)] : [gate, up]
  const hidden = scratch.replacing(u)
  if (c.clamp) ops.clampedGate(hidden, g, u, c.clamp)
  else ops.gate(hidden, g, u, activation)
  ops.expertMatmul(unbiased, hidden, w.down, plan, false)
  const part = biases ? biased(unbiased, biases.down) : unbiased
  if (w.shared) {
    const shared = scratch.take([T, D])
    if (w.sharedGate) {
      gatedShared(backend, w.sharedGate, w.shared, c, shared, x, residual)
    } else denseMlp(backend, w.shared, activation, shared, x, residual ? { residual, scale: 1 } : undefined)
    ops.combineExperts(y, part, weights, plan, shared)
  } else {
    ops.combineExperts(y, part, weights, plan, residual ?? zeros(backend, x))
  }
  scratch.release(mark)
  return chosen
}

/** Grouped rows x [TK, n] with the bias of each one's expert, of `rows` [E, n]. `chosen` i32 [T, K]. */
function withBiases({ ops, scratch }: Workplace, x: Tensor, rows: Weight, chosen: Tensor, assignments: Tensor): Tensor {
  const y = scratch.replacing(x)
  const mark = scratch.mark()
  const [byAssignment, grouped] = [scratch.take(x.shape), scratch.take(x.shape)]
  ops.embed(byAssignment, rows, reshape(chosen, assignments.shape))
  ops.gatherRows(grouped, byAssignment, assignments)
  ops.axpby(y, 1, x, 1, grouped)
  scratch.release(mark)
  return y
}

/** y = residual + sigmoid(w x) * shared(x), one factor for a token. y is none of the others. */
function gatedShared(
  backend: Workplace,
  gate: Linear,
  shared: DenseMlpWeights,
  { activation }: MoeConfig,
  y: Tensor,
  x: Tensor,
  residual: Tensor | null,
): void {
  const { ops, scratch } = backend
  const [T, D] = x.shape as [number, number]
  denseMlp(backend, shared, activation, y, x)
  const factor = scratch.take([T, 1])
  linear(backend, factor, x, gate)
  // Each number a row of its own, and the factor the same for all of a token.
  const each = (t: Tensor) => view(t, 0, [T, D, 1], [t.strides[0] as number, 1, 1])
  const gated = scratch.replacing(y)
  ops.gate(each(gated), view(factor, 0, [T, D, 1], [1, 0, 1]), each(y), 'sigmoid')
  if (residual) ops.axpby(y, 1, gated, 1, residual)
  else if (gated !== y) ops.copy(y, gated)
}

/** Of the shape of x. */
function zeros({ ops, scratch }: Workplace, x: Tensor): Tensor {
  const y = scratch.take(x.shape)
  ops.axpby(y, 0, x)
  return y
}
