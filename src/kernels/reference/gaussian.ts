/** P(Z > x) of the standard normal distribution, to about 1e-13 relative on both sides. */
export function gaussianTail(x: number): number {
  if (Number.isNaN(x)) return Number.NaN
  if (x < 0) return 1 - gaussianTail(-x)
  if (x > 40) return 0
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
  if (x < 3) {
    // P(0 < Z < x) = density (x + x^3 / 3 + x^5 / (3 5) + ..): every term positive (Abramowitz and Stegun 26.2.11).
    let term = x
    let sum = x
    for (let k = 3; term > sum * 1e-17; k += 2) {
      term *= (x * x) / k
      sum += term
    }
    return 0.5 - density * sum
  }
  // density / (x + 1 / (x + 2 / (x + 3 / ..))), from the inside out (26.2.14).
  let denominator = x
  for (let k = 100; k >= 1; k--) denominator = x + k / denominator
  return density / denominator
}
