/** The definition of route: which experts each token takes, and with which weights. */
import type { RouteOptions } from '../contract/operation-options.ts'
import { axisOf } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import { ACTIVATIONS } from './pointwise.ts'
import { softmaxInPlace } from './softmax.ts'

export const route: Definition<'route'> = (memory, indices, weights, logits, options) => {
  const [E, K] = [axisOf(logits, 1), axisOf(indices, 1)]
  const { bias } = options
  const chosen = memory.rows(indices, 'i32', 'route: indices')
  const to = memory.rows(weights, 'f32', 'route: weights')
  const from = memory.rows(logits, 'f32', 'route: logits')
  const added = bias && memory.open(bias, 'f32', 'route: bias')
  from.rows.forEach((row, t) => {
    const scores = routingScores(from.data.subarray(row, row + E), options.scoring)
    const choice = scores.map((score, e) => {
      const biased = score + (added ? added.data[added.start + e]! : 0)
      return Number.isNaN(biased) ? Number.NEGATIVE_INFINITY : biased
    })
    maskGroups(choice, options)
    const best = fallingOrder(choice).slice(0, K)
    let sum = 0
    for (const e of best) sum += scores[e]!
    const factor = options.normalise ? options.scale / (sum + 1e-20) : options.scale
    chosen.data.set(best, chosen.rows[t])
    to.data.set(
      best.map(e => scores[e]! * factor),
      to.rows[t],
    )
  })
}

/** Of all experts for one token. */
export function routingScores(logits: Float32Array, scoring: RouteOptions['scoring']): Float64Array {
  const scores = Float64Array.from(logits)
  if (scoring === 'sigmoid') return scores.map(ACTIVATIONS.sigmoid)
  softmaxInPlace(scores)
  return scores
}

/** Writes -inf (a biased score may be negative, so not 0 unless the model does) into the groups that lose. */
function maskGroups(choice: Float64Array, options: RouteOptions): void {
  const { groups, topkGroups, groupScore, zeroLosers } = options
  const size = choice.length / groups
  const groupScores = Float64Array.from({ length: groups }, (_, g) => {
    const [first = Number.NEGATIVE_INFINITY, second = 0] = choice
      .slice(g * size, (g + 1) * size)
      .sort()
      .reverse()
    return groupScore === 'max' ? first : first + second
  })
  for (const g of fallingOrder(groupScores).slice(topkGroups)) {
    choice.fill(zeroLosers ? 0 : Number.NEGATIVE_INFINITY, g * size, (g + 1) * size)
  }
}

/** Indices by falling value, the lower index first among equals. */
function fallingOrder(values: Float64Array): number[] {
  return Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b)
}
