/** The definitions of attentionBackward and sumHeads. */
import { axisOf } from '../operations/check.ts'
import { isVisible, openSlice } from './attention.ts'
import type { Definition } from './definition.ts'
import { dot } from './matmul.ts'
import { sequencesOf } from './slices.ts'

export const attentionBackward: Definition<'attentionBackward'> = (memory, args) => {
  const { dq, dkeys, dvalues, dout, out, q, lse, keys, values, scale } = args
  const [T, H, width] = [axisOf(q, 0), axisOf(q, 1), axisOf(q, 2)]
  const V = values.width
  const toQuery = memory.rows(dq, 'f32', 'attentionBackward: dq')
  const toKeys = memory.rows(dkeys, 'f32', 'attentionBackward: dkeys')
  const toValues = memory.rows(dvalues, 'f32', 'attentionBackward: dvalues')
  const gradient = memory.rows(dout, 'f32', 'attentionBackward: dout')
  const result = memory.rows(out, 'f32', 'attentionBackward: out')
  const query = memory.rows(q, 'f32', 'attentionBackward: q')
  const sums = memory.open(lse, 'f32', 'attentionBackward: lse')

  for (const given of sequencesOf(memory, args.sequences, 'attentionBackward')) {
    // No more keys than have rows.
    const sequence = { ...given, keyCount: Math.min(given.keyCount, axisOf(dkeys, 0)) }
    const { queryStart, queryCount, position, keyStart, keyCount: S } = sequence
    const keySlices = keys.map(slice => openSlice(memory, slice, sequence, H, 'attentionBackward: keys'))
    const valueSlice = openSlice(memory, values, sequence, H, 'attentionBackward: values')
    for (let h = 0; h < H; h++) {
      const keySums = new Float64Array(S * width)
      const valueSums = new Float64Array(S * V)
      for (let t = queryStart; t < Math.min(queryStart + queryCount, T); t++) {
        const row = t * H + h
        const [qRow, doutRow] = [query.rows[row]!, gradient.rows[row]!]
        const delta = dot(gradient.data, doutRow, result.data, result.rows[row]!, V)
        const querySums = new Float64Array(width)
        for (let s = 0; s < S; s++) {
          if (!isVisible(args, position + t - queryStart, keyStart + s)) continue
          const key = keySlices.flatMap(slice => {
            const vector = slice.vector(s, h)
            return Array.from(slice.numbers.subarray(vector, vector + slice.width))
          })
          let score = 0
          for (let i = 0; i < width; i++) score += query.data[qRow + i]! * key[i]!
          const p = Math.exp(score * scale - sums.data[sums.start + row]!)
          const dp = dot(gradient.data, doutRow, valueSlice.numbers, valueSlice.vector(s, h), V)
          const ds = scale * p * (dp - delta)
          for (let i = 0; i < width; i++) {
            querySums[i]! += ds * key[i]!
            keySums[s * width + i]! += ds * query.data[qRow + i]!
          }
          for (let i = 0; i < V; i++) valueSums[s * V + i]! += p * gradient.data[doutRow + i]!
        }
        for (let i = 0; i < width; i++) toQuery.data[toQuery.rows[row]! + i]! += querySums[i]!
      }
      for (let s = 0; s < S; s++) {
        toKeys.data.set(keySums.subarray(s * width, (s + 1) * width), toKeys.rows[s * H + h]!)
        toValues.data.set(valueSums.subarray(s * V, (s + 1) * V), toValues.rows[s * H + h]!)
      }
    }
  }
}

export const sumHeads: Definition<'sumHeads'> = (memory, y, x) => {
  const each = axisOf(x, 1) / axisOf(y, 1)
  const to = memory.rows(y, 'f32', 'sumHeads: y')
  const from = memory.rows(x, 'f32', 'sumHeads: x')
  to.rows.forEach((toRow, row) => {
    for (let i = 0; i < axisOf(x, 2); i++) {
      let sum = 0
      for (let j = 0; j < each; j++) sum += from.data[from.rows[row * each + j]! + i]!
      to.data[toRow + i]! += sum
    }
  })
}
