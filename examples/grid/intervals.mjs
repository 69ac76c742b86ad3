/** Means of a few runs, and how far another set of them would likely be. */

/** Of Student's t, 97.5 %, by degrees of freedom from 1 on. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]

/** The mean, and half of its interval of 95 %; null of one value, or of none. */
export function interval(values) {
  const n = values.length
  const mean = values.reduce((a, b) => a + b, 0) / n
  if (n < 2) return { mean, half: null }
  const deviation = Math.sqrt(values.reduce((a, x) => a + (x - mean) ** 2, 0) / (n - 1))
  return { mean, half: ((T[n - 2] ?? 1.96) * deviation) / Math.sqrt(n) }
}

/** What differences of the same seeds say, a smaller value being better: `open` where the interval has both a difference of `margin` and none. */
export function verdict({ mean, half }, margin) {
  if (half === null) return 'open'
  const [low, high] = [mean - half, mean + half]
  if (low > 0) return 'worse'
  if (high < 0) return 'better'
  return high < margin && low > -margin ? 'same' : 'open'
}
