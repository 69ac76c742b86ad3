import type { Tensor } from '../../tensor/tensor.ts'
import { axisOf, expectContiguous, expectShape } from './check.ts'
import type { Memory } from './memory.ts'

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

export function softmax(memory: Memory, y: Tensor, x: Tensor, scale: number, mask?: Tensor, lse?: Tensor): void {
  const rows = axisOf(x, 0)
  const n = axisOf(x, 1)
  expectShape('softmax: x', x, [rows, n])
  expectShape('softmax: y', y, [rows, n])
  for (const [name, tensor] of Object.entries({ x, y, mask, lse })) {
    if (tensor) expectContiguous(`softmax: ${name}`, tensor)
  }
  if (mask) expectShape('softmax: mask', mask, [rows, n])
  if (lse) expectShape('softmax: lse', lse, [rows])
  const to = memory.open(y, 'f32', 'softmax: y')
  const from = memory.open(x, 'f32', 'softmax: x')
  const seen = mask && memory.open(mask, 'u8', 'softmax: mask')
  const sums = lse && memory.open(lse, 'f32', 'softmax: lse')
  const row = new Float64Array(n)
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < n; i++) {
      const hidden = seen?.data[seen.start + r * n + i] === 0
      row[i] = hidden ? Number.NEGATIVE_INFINITY : scale * from.data[from.start + r * n + i]!
    }
    const sum = softmaxInPlace(row)
    to.data.set(row, to.start + r * n)
    if (sums) sums.data[sums.start + r] = sum
  }
}
