/** The definition of route: which experts each token takes, and with which weights. */
import type { Tensor } from '../../tensor/tensor.ts'
import type { RouteOptions } from '../contract/operation-options.ts'
import { axisOf } from '../operations/check.ts'
import type { Memory } from './memory.ts'
import { ACTIVATIONS } from './pointwise.ts'
import { softmaxInPlace } from './softmax.ts'

export function route(memory: Memory, indices: Tensor, weights: Tensor, logits: Tensor, options: RouteOptions): void {
  const T = axisOf(logits, 0)
  const E = axisOf(logits, 1)
  const K = axisOf(indices, 1)
  const { bias } = options
  const chosen = memory.open(indices, 'i32', 'route: indices')
  const to = memory.open(weights, 'f32', 'route: weights')
  const from = memory.open(logits, 'f32', 'route: logits')
  const added = bias && memory.open(bias, 'f32', 'route: bias')
  for (let t = 0; t < T; t++) {
    const scores = Float64Array.from(from.data.subarray(from.start + t * E, from.start + (t + 1) * E))
    if (options.scoring === 'softmax') softmaxInPlace(scores)
    else scores.set(scores.map(ACTIVATIONS.sigmoid))
    const choice = scores.map((score, e) => {
      const biased = score + (added ? added.data[added.start + e]! : 0)
      return Number.isNaN(biased) ? Number.NEGATIVE_INFINITY : biased
    })
    maskGroups(choice, options)
    const best = fallingOrder(choice).slice(0, K)
    let sum = 0
    for (const e of best) sum += scores[e]!
    const factor = options.normalise ? options.scale / (sum + 1e-20) : options.scale
    best.forEach((e, j) => {
      chosen.data[chosen.start + t * K + j] = e
      to.data[to.start + t * K + j] = scores[e]! * factor
    })
  }
}

/** Writes -inf (a biased score may be negative, so not 0) into the groups that lose. */
function maskGroups(choice: Float64Array, options: RouteOptions): void {
  const { groups, topkGroups, groupScore } = options
  const size = choice.length / groups
  const groupScores = Float64Array.from({ length: groups }, (_, g) => {
    const [first = Number.NEGATIVE_INFINITY, second = 0] = choice
      .slice(g * size, (g + 1) * size)
      .sort()
      .reverse()
    return groupScore === 'max' ? first : first + second
  })
  for (const g of fallingOrder(groupScores).slice(topkGroups)) {
    choice.fill(Number.NEGATIVE_INFINITY, g * size, (g + 1) * size)
  }
}

/** Indices by falling value, the lower index first among equals. */
function fallingOrder(values: Float64Array): number[] {
  return Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b)
}
