/** Statistics of distributions, in float64. A row is the logits, or the log-probabilities, of one position. */
import { expNegative } from '../sampling/exp.ts'
import { argmax } from '../sampling/sampler.ts'

export interface Summary {
  /** The likeliest token; ties: the first. */
  readonly top: number
  /** ln of the sum of exponentials: ln p(i) = row[i] - logSum. */
  readonly logSum: number
}

/** Throws SamplingError if the row contains NaN or infinity. */
export function summarise(row: Float32Array): Summary {
  const top = argmax(row)
  const highest = row[top] as number
  let sum = 0
  for (let i = 0; i < row.length; i++) sum += expNegative((row[i] as number) - highest)
  return { top, logSum: highest + Math.log(sum) }
}

/**
 * Kullback-Leibler divergence of a row's distribution q from the reference's p, in nats: sum of p (ln p - ln q).
 * 0 only if they are equal; infinite if q excludes a token that p allows. `of` and `own` summarise the two rows.
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
  // Rounding may give -1e-16 for equal distributions.
  return Math.max(0, weighted / sum - of.logSum + own.logSum)
}
