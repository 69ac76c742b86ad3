/** Direct preference optimisation (DPO, arXiv 2305.18290, eq. 7). */

/** What a policy makes of pairs. */
export interface Preference {
  /** The mean of -log sigmoid(margin). */
  readonly loss: number
  /** Share of pairs whose margin is above 0. */
  readonly accuracy: number
  /** The mean of beta times how much more than the reference the policy prefers the chosen answer. */
  readonly margin: number
}

/** Of pairs: log-probabilities of the chosen and the rejected answer, one after the other, by the policy and by the reference. */
export function preference(policy: readonly number[], reference: readonly number[], beta: number): Preference {
  const margins = marginsOf(policy, reference, beta)
  const mean = (of: (margin: number) => number) => margins.reduce((sum, margin) => sum + of(margin), 0) / margins.length
  return { loss: mean(softplusOfMinus), accuracy: mean(margin => Number(margin > 0)), margin: mean(margin => margin) }
}

/** d loss / d (-log-probability) of each answer, for a loss that is the sum over pairs divided by `pairs`. */
export function weightsOf(
  policy: readonly number[],
  reference: readonly number[],
  beta: number,
  pairs: number,
): number[] {
  return marginsOf(policy, reference, beta).flatMap(margin => {
    const weight = beta / (1 + Math.exp(margin)) / pairs
    return [weight, -weight]
  })
}

function marginsOf(policy: readonly number[], reference: readonly number[], beta: number): number[] {
  const gain = (i: number) => (policy[i] as number) - (reference[i] as number)
  return Array.from({ length: policy.length / 2 }, (_, k) => beta * (gain(2 * k) - gain(2 * k + 1)))
}

/** -log sigmoid(x), without overflow. */
function softplusOfMinus(x: number): number {
  return Math.max(0, -x) + Math.log1p(Math.exp(-Math.abs(x)))
}
