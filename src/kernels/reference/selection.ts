/** The definitions of indexScores and selectKeys. */
import { axisOf } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import { dot } from './matmul.ts'
import { readSlice, type Sequence, sequencesOf } from './slices.ts'

export const indexScores: Definition<'indexScores'> = (memory, args) => {
  const { scores, q, weights, keys, scale } = args
  const H = axisOf(q, 1)
  const to = memory.rows(scores, 'f32', 'indexScores: scores')
  const query = memory.rows(q, 'f32', 'indexScores: q')
  const factor = memory.rows(weights, 'f32', 'indexScores: weights')
  for (const [b, sequence] of sequencesOf(memory, args.sequences, 'indexScores').entries()) {
    const t = sequence.queryStart
    const seen = seenKeys(sequence)
    const numbers = readSlice(memory, keys, sequence, seen, 'indexScores: keys')
    for (let s = 0; s < sequence.keyCount; s++) {
      let sum = 0
      for (let h = 0; h < H && s < seen; h++) {
        const product = dot(query.data, query.rows[t * H + h]!, numbers, s * keys.width, keys.width)
        sum += factor.data[factor.rows[t]! + h]! * Math.max(product, 0)
      }
      to.data[to.rows[b]! + s] = s < seen ? sum * scale : Number.NEGATIVE_INFINITY
    }
  }
}

export const selectKeys: Definition<'selectKeys'> = (memory, selected, scores, sequences) => {
  const K = axisOf(selected, 1)
  const to = memory.open(selected, 'i32', 'selectKeys: selected')
  const from = memory.rows(scores, 'f32', 'selectKeys: scores')
  for (const [b, sequence] of sequencesOf(memory, sequences, 'selectKeys').entries()) {
    const seen = seenKeys(sequence)
    const score = (s: number) => from.data[from.rows[b]! + s]!
    const falling = Array.from({ length: seen }, (_, s) => s).sort((a, b) => compare(score(b), score(a)) || a - b)
    const chosen = falling.slice(0, K).sort((a, b) => a - b)
    for (let i = 0; i < K; i++) {
      const s = chosen[i]
      to.data[to.start + sequence.queryStart * K + i] = s === undefined ? -1 : sequence.keyStart + s
    }
  }
}

/** NaN is below all. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a))
  return a === b ? 0 : a < b ? -1 : 1
}

/** Keys of a sequence that its one query sees. */
function seenKeys({ position, keyStart, keyCount }: Sequence): number {
  return Math.max(0, Math.min(keyCount, position + 1 - keyStart))
}
