/** The definition of probabilities. */
import type { Tensor } from '../../tensor/tensor.ts'
import { axisOf } from '../operations/check.ts'
import { type Memory, rowStarts } from './memory.ts'

export function probabilities(memory: Memory, p: Tensor, scores: Tensor, lse: Tensor): void {
  const H = axisOf(scores, 0)
  const T = axisOf(scores, 1)
  const S = axisOf(scores, 2)
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
