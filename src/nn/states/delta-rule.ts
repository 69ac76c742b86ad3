/** The gated delta rule: a head carries a matrix, from which each token takes what it knows of its key and to which it adds what is new. */
import { joinHeads, lastOf, rowsOf, splitHeads, type Tensor } from '../../tensor/tensor.ts'
import type { AttentionStep } from '../attention/step.ts'
import { type Linear, linear, type Norm, normalise } from '../layers.ts'
import type { DeltaRuleConfig } from './config.ts'

export interface DeltaRuleWeights {
  /** One matrix with the rows of q, k and v in this order, or three; or one with those of the gate too, head by head (`byHead`). */
  readonly qkv: readonly Linear[]
  /** f32 [C, K] of the convolution of all of their channels, or three. */
  readonly kernels: readonly Tensor[]
  /** Weights that make unit vectors of the heads of q, times dk^-1/2, and of k: f32 [dk]. */
  readonly queryUnit: Norm
  readonly keyUnit: Norm
  /** [H, D]; `byHead` also of the decay: [2 H, D] */
  readonly beta: Linear
  /** [H or H dk, D], or two of a low rank one behind the other; none where others have it. */
  readonly decay: readonly Linear[]
  /** ln a: f32 [H] */
  readonly decayRate: Tensor
  /** f32 [H, 1 or dk] */
  readonly decayBias: Tensor
  /** [H dv, D], or two of a low rank; none where others have it. */
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
  const inputs = projected(step, w, c, x)
  const mixed = convolved(step, w, inputs.mixed)
  const unit = (x: Tensor, norm: Norm) => {
    const y = scratch.replacing(x)
    normalise(ops, y, x, norm)
    return y
  }
  const q = forValues(step, c, unit(splitHeads(lastOf(mixed, 0, G * dk), G), w.queryUnit))
  const k = forValues(step, c, unit(splitHeads(lastOf(mixed, G * dk, G * dk), G), w.keyUnit))
  const v = splitHeads(lastOf(mixed, 2 * G * dk, H * dv), H) // [T, H, dv]
  const { beta } = inputs
  const decay = splitHeads(inputs.decay, H)
  ops.decays(decay, decay, w.decayRate, w.decayBias, c.decayFloor)
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
  ops.gate(gated, splitHeads(inputs.gate, H), normed, c.gate)
  return joinHeads(gated)
}

/** What is projected of the stream. */
interface Inputs {
  /** q, k and v before their convolutions: [T, C] */
  readonly mixed: Tensor
  /** [T, H], before the sigmoid. */
  readonly beta: Tensor
  /** [T, H or H dk] */
  readonly decay: Tensor
  /** [T, H dv] */
  readonly gate: Tensor
}

const channelsOf = ({ kernels }: DeltaRuleWeights) => kernels.map(kernel => kernel.shape[0] as number)

/** Where a matrix has the rows of several parts, head by head of the keys, what it gives is taken apart. */
function projected(step: AttentionStep, w: DeltaRuleWeights, c: DeltaRuleConfig, x: Tensor): Inputs {
  const { scratch, tokens: T } = step
  const { nHeads: H, nKeyHeads: G, keyDim: dk, valueDim: dv } = c
  const mixed = scratch.take([T, channelsOf(w).reduce((a, b) => a + b)])
  let gate: Tensor
  if (w.gate.length === 0) {
    gate = scratch.take([T, H * dv])
    const [q, k, v] = [lastOf(mixed, 0, G * dk), lastOf(mixed, G * dk, G * dk), lastOf(mixed, 2 * G * dk, H * dv)]
    takeByHead(step, through(step, w.qkv, x), G, [q, k, v, gate])
  } else {
    let at = 0
    for (const [i, count] of channelsOf(w).entries()) {
      linear(step, lastOf(mixed, at, count), x, w.qkv[i] as Linear)
      at += count
    }
    gate = through(step, w.gate, x)
  }
  const beta = through(step, [w.beta], x)
  if (w.decay.length > 0) return { mixed, gate, beta, decay: through(step, w.decay, x) }
  const apart = [scratch.take([T, H]), scratch.take([T, H])] as const
  takeByHead(step, beta, G, apart)
  return { mixed, gate, beta: apart[0], decay: apart[1] }
}

/** Of each of `heads` heads of `all`, the numbers of the first part, of the second, and so on. */
function takeByHead({ ops }: AttentionStep, all: Tensor, heads: number, parts: readonly Tensor[]): void {
  const byHead = splitHeads(all, heads)
  let at = 0
  for (const part of parts) {
    const width = (part.shape[1] as number) / heads
    ops.copy(splitHeads(part, heads), lastOf(byHead, at, width))
    at += width
  }
}

/** Queries or keys [T, G, dk] as heads of values take them: where that is by turns, once for each, [T, H, dk]. */
function forValues({ ops, scratch, tokens: T }: AttentionStep, c: DeltaRuleConfig, x: Tensor): Tensor {
  const { nHeads: H, nKeyHeads: G, keyDim: dk } = c
  if (!c.keysByTurns || H === G) return x
  const y = scratch.take([T, H * dk])
  for (let at = 0; at < H; at += G) ops.copy(splitHeads(lastOf(y, at * dk, G * dk), G), x)
  return splitHeads(y, H)
}

/** SiLU of the convolved q, k and v: [T, C]. */
function convolved(step: AttentionStep, w: DeltaRuleWeights, mixed: Tensor): Tensor {
  const { ops, scratch, keys, layer, group } = step
  const y = scratch.take(mixed.shape)
  let at = 0
  for (const [i, count] of channelsOf(w).entries()) {
    const place = keys.state(layer, `convolution ${i}`)
    const kernel = w.kernels[i] as Tensor
    for (const run of group.all) {
      const rows = (t: Tensor) => rowsOf(lastOf(t, at, count), run.start, run.count)
      ops.shortConv(rows(y), rows(mixed), kernel, place, run.sequences, { silu: true })
    }
    at += count
  }
  return y
}

/** By one matrix after the other. */
function through(step: AttentionStep, matrices: readonly Linear[], x: Tensor): Tensor {
  let y = x
  for (const matrix of matrices) {
    const next = step.scratch.take([step.tokens, matrix.weight.rows])
    linear(step, next, y, matrix)
    y = next
  }
  return y
}
