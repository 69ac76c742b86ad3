import type { Tensor } from '../../tensor/tensor.ts'
import { axisOf, expectContiguous, expectShape } from './check.ts'
import { type Memory, rowStarts } from './memory.ts'
import { softmaxInPlace } from './softmax.ts'

/** How much of each part is in the whole; a part with lse -inf saw nothing and weighs 0. */
export function mergeWeights(partLse: readonly number[]): { lse: number; weights: Float64Array } {
  const weights = Float64Array.from(partLse)
  const lse = softmaxInPlace(weights)
  return { lse, weights }
}

export function mergeAttention(memory: Memory, out: Tensor, lse: Tensor, parts: Tensor, partLse: Tensor): void {
  const n = axisOf(parts, 0)
  const T = axisOf(out, 0)
  const H = axisOf(out, 1)
  const V = axisOf(out, 2)
  expectShape('mergeAttention: out', out, [T, H, V])
  expectShape('mergeAttention: lse', lse, [T, H])
  expectShape('mergeAttention: parts', parts, [n, T, H, V])
  expectShape('mergeAttention: partLse', partLse, [n, T, H])
  for (const [name, tensor] of Object.entries({ out, lse, parts, partLse })) {
    expectContiguous(`mergeAttention: ${name}`, tensor)
  }
  const output = memory.open(out, 'f32', 'mergeAttention: out')
  const sums = memory.open(lse, 'f32', 'mergeAttention: lse')
  const from = memory.open(parts, 'f32', 'mergeAttention: parts')
  const fromSums = memory.open(partLse, 'f32', 'mergeAttention: partLse')
  for (let row = 0; row < T * H; row++) {
    const merged = mergeWeights(Array.from({ length: n }, (_, i) => fromSums.data[fromSums.start + i * T * H + row]!))
    const result = new Float64Array(V)
    for (let i = 0; i < n; i++) {
      const weight = merged.weights[i]!
      if (weight === 0) continue
      const part = from.start + (i * T * H + row) * V
      for (let v = 0; v < V; v++) result[v] = result[v]! + weight * from.data[part + v]!
    }
    output.data.set(result, output.start + row * V)
    sums.data[sums.start + row] = merged.lse
  }
}

export function probabilities(memory: Memory, p: Tensor, scores: Tensor, lse: Tensor): void {
  const H = axisOf(scores, 0)
  const T = axisOf(scores, 1)
  const S = axisOf(scores, 2)
  expectShape('probabilities: scores', scores, [H, T, S])
  expectShape('probabilities: p', p, [H, T, S])
  expectShape('probabilities: lse', lse, [T, H])
  expectContiguous('probabilities: lse', lse)
  const to = memory.open(p, 'f32', 'probabilities: p')
  const from = memory.open(scores, 'f32', 'probabilities: scores')
  const sums = memory.open(lse, 'f32', 'probabilities: lse')
  const toRows = rowStarts(p, to.start)
  rowStarts(scores, from.start).forEach((row, r) => {
    const h = Math.floor(r / T)
    const t = r % T
    const sum = sums.data[sums.start + t * H + h]!
    for (let s = 0; s < S; s++) {
      const score = from.data[row + s]!
      // A row that sees nothing has lse -inf: its masked scores are 0 all the same.
      to.data[toRows[r]! + s] = score === Number.NEGATIVE_INFINITY ? 0 : Math.exp(score - sum)
    }
  })
}
