/**
 * Turns scores into exp(score - lse) and returns lse = ln sum exp(score), with `sink` as one more score of the sum.
 * A score of -inf is a key that is not seen; if all are, everything is 0 and lse -inf.
 */
export function softmaxInPlace(scores: Float64Array, sink = Number.NEGATIVE_INFINITY): number {
  let max = sink
  for (const score of scores) max = Math.max(max, score)
  if (max === Number.NEGATIVE_INFINITY) {
    scores.fill(0)
    return max
  }
  let sum = Math.exp(sink - max)
  for (let i = 0; i < scores.length; i++) {
    const weight = Math.exp(scores[i]! - max)
    scores[i] = weight
    sum += weight
  }
  for (let i = 0; i < scores.length; i++) scores[i] = scores[i]! / sum
  return max + Math.log(sum)
}
