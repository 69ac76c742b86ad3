/** The gated delta rule: a head carries a matrix, from which each token takes what it knows of its key and to which it adds what is new. */
import { joinHeads, lastOf, rowsOf, splitHeads, type Tensor } from '../../tensor/tensor.ts'
import type { AttentionStep } from '../attention/step.ts'
import { type Linear, linear, type Norm, normalise } from '../layers.ts'
import type { DeltaRuleConfig } from './config.ts'

export interface DeltaRuleWeights {
  /** One matrix with the rows of q, k and v in this order, or three. */
  readonly qkv: readonly Linear[]
  /** f32 [C, K] of the convolution of all of their channels, or three. */
  readonly kernels: readonly Tensor[]
  /** Weights that make unit vectors of the heads of q, times dk^-1/2, and of k: f32 [dk]. */
  readonly queryUnit: Norm
  readonly keyUnit: Norm
  /** [H, D] */
  readonly beta: Linear
  /** [H or H dk, D], or two of a low rank one behind the other. */
  readonly decay: readonly Linear[]
  /** ln a: f32 [H] */
  readonly decayRate: Tensor
  /** f32 [H, 1 or dk] */
  readonly decayBias: Tensor
  /** [H dv, D], or two of a low rank. */
  readonly gate: readonly Linear[]
  /** Of each head's output. */
  readonly norm: Norm
  /** [D, H dv] */
  readonly out: Linear
}

/** x [T, D] -> what the states gave, [T, H dv], before the output projection. */
export function gatedDeltaRule(step: AttentionStep, w: DeltaRuleWeights, c: DeltaRuleConfig, x: Tensor): Tensor {
  const { ops, scratch, keys, layer, tokens: T, group } = step
  const { nHeads: H, nKeyHeads: G, keyDim: dk, valueDim: dv } = c

  const found = scratch.take([T, H * dv])
  const mixed = convolved(step, w, x)
  const unit = (x: Tensor, norm: Norm) => {
    const y = scratch.replacing(x)
    normalise(ops, y, x, norm)
    return y
  }
  const q = unit(splitHeads(lastOf(mixed, 0, G * dk), G), w.queryUnit) // [T, G, dk]
  const k = unit(splitHeads(lastOf(mixed, G * dk, G * dk), G), w.keyUnit)
  const v = splitHeads(lastOf(mixed, 2 * G * dk, H * dv), H) // [T, H, dv]
  const decay = splitHeads(projected(step, w.decay, x), H)
  ops.decays(decay, decay, w.decayRate, w.decayBias, c.decayFloor)
  const beta = projected(step, [w.beta], x)
  ops.activate(beta, beta, 'sigmoid')

  const place = keys.state(layer, 'delta')
  for (const { start, count, sequences } of group.all) {
    const rows = (t: Tensor) => rowsOf(t, start, count)
    ops.deltaRule(rows(splitHeads(found, H)), rows(q), rows(k), rows(v), rows(decay), rows(beta), place, sequences)
  }
  const heads = splitHeads(found, H)
  const normed = scratch.replacing(heads)
  normalise(ops, normed, heads, w.norm)
  const gated = scratch.replacing(normed)
  ops.gate(gated, splitHeads(projected(step, w.gate, x), H), normed, c.gate)
  return joinHeads(gated)
}

/** SiLU of the convolved q, k and v: [T, C]. */
function convolved(step: AttentionStep, w: DeltaRuleWeights, x: Tensor): Tensor {
  const { ops, scratch, keys, layer, tokens: T, group } = step
  const C = w.kernels.reduce((n, kernel) => n + (kernel.shape[0] as number), 0)
  const mixed = scratch.take([T, C])
  const projections = scratch.take([T, C])
  let at = 0
  for (const [i, kernel] of w.kernels.entries()) {
    const channels = kernel.shape[0] as number
    const [y, u] = [lastOf(mixed, at, channels), lastOf(projections, at, channels)]
    linear(step, u, x, w.qkv[i] as Linear)
    const place = keys.state(layer, `convolution ${i}`)
    for (const { start, count, sequences } of group.all) {
      ops.shortConv(rowsOf(y, start, count), rowsOf(u, start, count), kernel, place, sequences, { silu: true })
    }
    at += channels
  }
  return mixed
}

/** By one matrix after the other. */
function projected(step: AttentionStep, matrices: readonly Linear[], x: Tensor): Tensor {
  let y = x
  for (const matrix of matrices) {
    const next = step.scratch.take([step.tokens, matrix.weight.rows])
    linear(step, next, y, matrix)
    y = next
  }
  return y
}
