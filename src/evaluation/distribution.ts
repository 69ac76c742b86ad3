/** What a row of logits says, in float64. A row is the logits, or the log-probabilities, of one position. */
import { expNegative } from '../sampling/exp.ts'
import { argmax } from '../sampling/sampler.ts'

export interface Summary {
  /** The likeliest token; of several, the first. */
  readonly top: number
  /** ln of the sum of exponentials: ln p(i) = row[i] - logSum. */
  readonly logSum: number
}

/** Throws SamplingError where the row holds NaN or infinity. */
export function summarise(row: Float32Array): Summary {
  const top = argmax(row)
  const highest = row[top] as number
  let sum = 0
  for (let i = 0; i < row.length; i++) sum += expNegative((row[i] as number) - highest)
  return { top, logSum: highest + Math.log(sum) }
}

/**
 * Kullback-Leibler divergence of a row's distribution q from the reference's p, in nats: sum of p (ln p - ln q).
 * 0 only where they are equal; infinite where q leaves out a token that p has.
 */
export function divergence(reference: Float32Array, of: Summary, row: Float32Array, own: Summary): number {
  const highest = reference[of.top] as number
  let sum = 0
  let weighted = 0
  for (let i = 0; i < reference.length; i++) {
    const r = reference[i] as number
    const p = expNegative(r - highest)
    // A masked token is -Infinity, and 0 times that would be NaN.
    if (p === 0) continue
    sum += p
    weighted += p * (r - (row[i] as number))
  }
  // Rounding may leave -1e-16 where the distributions are equal.
  return Math.max(0, weighted / sum - of.logSum + own.logSum)
}
