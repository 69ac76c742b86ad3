/** The definition of probabilities. */
import { axisOf } from '../operations/check.ts'
import type { Definition } from './definition.ts'

export const probabilities: Definition<'probabilities'> = (memory, p, scores, lse) => {
  const [T, S] = [axisOf(scores, 1), axisOf(scores, 2)]
  const to = memory.rows(p, 'f32', 'probabilities: p')
  const from = memory.rows(scores, 'f32', 'probabilities: scores')
  const sums = memory.rows(lse, 'f32', 'probabilities: lse')
  from.rows.forEach((row, r) => {
    const sum = sums.data[sums.rows[r % T]! + Math.floor(r / T)]!
    for (let s = 0; s < S; s++) {
      const score = from.data[row + s]!
      // A row that sees nothing has lse -inf: its masked scores are 0 all the same.
      to.data[to.rows[r]! + s] = score === Number.NEGATIVE_INFINITY ? 0 : Math.exp(score - sum)
    }
  })
}
