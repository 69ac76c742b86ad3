/** A mean over tokens, and its standard error: how far another text of the same kind would likely move it. */
export interface Estimate {
  /** The mean itself, in the unit of the quantity. */
  readonly mean: number
  /** s / sqrt(n), assuming independent tokens. 0 for a single token. */
  readonly error: number
}

export function estimate(values: Float64Array): Estimate {
  const n = values.length
  let sum = 0
  for (const value of values) sum += value
  const mean = sum / n
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  return { mean, error: n > 1 ? Math.sqrt(squares / (n - 1) / n) : 0 }
}

/** exp of an estimate, with the error propagated to first order. */
export function exponential({ mean, error }: Estimate): Estimate {
  return { mean: Math.exp(mean), error: Math.exp(mean) * error }
}

/** Quantiles at the given shares (0 to 1), interpolated linearly. */
export function quantiles(values: Float64Array, shares: readonly number[]): number[] {
  const sorted = values.slice().sort()
  return shares.map(share => {
    const place = share * (sorted.length - 1)
    const low = Math.floor(place)
    const [a, b] = [sorted[low] as number, sorted[Math.ceil(place)] as number]
    return a + (b - a) * (place - low)
  })
}
