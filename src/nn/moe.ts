import type { Weight } from '../kernels/contract/weights.ts'
import { reshape, type Tensor, view } from '../tensor/tensor.ts'
import type { MoeConfig } from './config.ts'
import { type Linear, linear, normalise, type Workplace } from './layers.ts'
import { limitedGate } from './limited-gate.ts'
import { denseMlp } from './mlp.ts'
import type { DenseMlpWeights, MoeWeights } from './weights.ts'

/**
 * DeepSeekMoE (arXiv 2401.06066; V3 paper, arXiv 2412.19437, eq. 12-16): y = residual + shared(x) + sum of the chosen
 * experts, weighted. Tokens are gathered per expert, so that each expert is one product. x, y, residual [T, D].
 * y may be x or residual. Without residual it counts as 0. `routed`: what the router reads; default x. Returns the chosen experts, i32 [T, K],
 * until their memory is used again.
 */
export function mixtureOfExperts(
  backend: Workplace,
  w: MoeWeights,
  c: MoeConfig,
  y: Tensor,
  x: Tensor,
  residual: Tensor | null,
  routed: Tensor = x,
): Tensor {
  const { ops, scratch } = backend
  const [T, D] = x.shape as [number, number]
  const { nExperts: E, topK: K, expertSize: F, activation, idle = 0, limits } = c
  const mark = scratch.mark()

  const logits = scratch.take([T, E + idle])
  const chosen = scratch.take([T, K], 'i32')
  const shares = scratch.take([T, K])
  const plan = scratch.take([E + 1 + 2 * T * K], 'i32')
  const assignments = view(plan, E + 1, [T * K]) // of each grouped row
  routerLogits(backend, w, logits, routed)
  ops.route(chosen, shares, logits, w.selectionBias ? { ...c, bias: w.selectionBias } : c)
  const weights = w.ofStream ? withFactors(backend, shares, chosen, w.ofStream.factors) : shares
  if (idle > 0) planWithIdle(backend, plan, chosen, E, idle)
  else ops.groupByExpert(plan, chosen, E)

  const gate = scratch.take([T * K, F])
  const up = scratch.take([T * K, F])
  const unbiased = scratch.take([T * K, D])
  if (idle > 0) {
    // Products leave the rows of idle experts as they are. In `unbiased` these rows are x, which such experts return. In gate and up they are
    // any finite numbers, so that what is computed of them, and not used, is no NaN.
    for (const t of [gate, up]) ops.copy(view(t, 0, [T * K, F, 1], [F, 1, 1]), view(x, 0, [T * K, F, 1], [0, 0, 1]))
    inputRows(backend, unbiased, x, assignments)
  }
  ops.expertMatmul(gate, x, w.gate, plan, true)
  ops.expertMatmul(up, x, w.up, plan, true)
  const { biases } = w
  const biased = (x: Tensor, rows: Weight) => withBiases(backend, x, rows, chosen, assignments)
  const [g, u] = biases ? [biased(gate, biases.gate), biased(up, biases.up)] : [gate, up]
  const hidden = scratch.replacing(u)
  if (c.clamp) ops.clampedGate(hidden, g, u, c.clamp)
  else if (limits?.experts) limitedGate(backend, hidden, g, u, limits.experts)
  else ops.gate(hidden, g, u, activation)
  ops.expertMatmul(unbiased, hidden, w.down, plan, false)
  const part = biases ? biased(unbiased, biases.down) : unbiased
  if (w.shared) {
    const shared = scratch.take([T, D])
    if (w.sharedGate) {
      gatedShared(backend, w.sharedGate, w.shared, c, shared, x, residual)
    } else
      denseMlp(backend, w.shared, activation, shared, x, residual ? { residual, scale: 1 } : undefined, limits?.shared)
    ops.combineExperts(y, part, weights, plan, shared)
  } else {
    ops.combineExperts(y, part, weights, plan, residual ?? zeros(backend, x))
  }
  scratch.release(mark)
  return chosen
}

/** Logits [T, E] of x [T, D]. */
function routerLogits(at: Workplace, { router, ofStream }: MoeWeights, logits: Tensor, x: Tensor): void {
  if (!ofStream) {
    linear(at, logits, x, router)
    return
  }
  const { ops, scratch } = at
  const mark = scratch.mark()
  const normed = scratch.take(x.shape)
  normalise(ops, normed, x, ofStream.norm)
  linear(at, logits, normed, router, { scale: (x.shape[1] as number) ** -0.5 })
  scratch.release(mark)
}

/** The weights [T, K] of the chosen experts, each times its factor, of `factors` [E, 1]. */
function withFactors({ ops, scratch }: Workplace, weights: Tensor, chosen: Tensor, factors: Weight): Tensor {
  const count = weights.shape[0] as number
  const each = scratch.take([count * (weights.shape[1] as number), 1])
  ops.embed(each, factors, reshape(chosen, [each.shape[0] as number]))
  const product = scratch.replacing(weights)
  // Weights are never below 0, and so stay what they are.
  ops.gate(product, weights, reshape(each, weights.shape), 'relu')
  return product
}

/** The plan of E experts whose products skip the `idle` ones behind them: their rows come last. */
function planWithIdle({ ops, scratch }: Workplace, plan: Tensor, chosen: Tensor, E: number, idle: number): void {
  const mark = scratch.mark()
  const rows = (plan.shape[0] as number) - (E + 1)
  const all = scratch.take([E + idle + 1 + rows], 'i32')
  ops.groupByExpert(all, chosen, E + idle)
  ops.copy(view(plan, 0, [E + 1]), view(all, 0, [E + 1]))
  ops.copy(view(plan, E + 1, [rows]), view(all, E + idle + 1, [rows]))
  scratch.release(mark)
}

/** y [TK, D]: for each grouped row its token's x [T, D]. */
function inputRows({ ops, scratch }: Workplace, y: Tensor, x: Tensor, assignments: Tensor): void {
  const [T, D] = x.shape as [number, number]
  const K = (y.shape[0] as number) / T
  const mark = scratch.mark()
  const each = scratch.take(y.shape)
  ops.copy(reshape(each, [T, K, D]), view(x, 0, [T, K, D], [x.strides[0] as number, 0, 1]))
  ops.gatherRows(y, each, assignments)
  scratch.release(mark)
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
