/** The definitions of cacheWrite and cacheRead. */
import { axisOf } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import { readSlice, sequencesOf, vectorsAt } from './slices.ts'
import { writeVector } from './vectors.ts'

export const cacheWrite: Definition<'cacheWrite'> = (memory, slice, x, sequences) => {
  const from = memory.rows(x, 'f32', 'cacheWrite: x')
  for (const sequence of sequencesOf(memory, sequences, 'cacheWrite')) {
    for (let i = 0; i < sequence.queryCount; i++) {
      vectorsAt(memory, slice, sequence, sequence.position + i, 'cacheWrite').forEach((address, g) => {
        const vector = from.rows[(sequence.queryStart + i) * slice.heads + g]!
        writeVector(memory, address, slice.dtype, from.data.subarray(vector, vector + slice.width), 'cacheWrite')
      })
    }
  }
}

export const cacheRead: Definition<'cacheRead'> = (memory, y, slice, sequences) => {
  const to = memory.open(y, 'f32', 'cacheRead: y')
  const [sequence] = sequencesOf(memory, sequences, 'cacheRead')
  if (sequence) to.data.set(readSlice(memory, slice, sequence, axisOf(y, 0), 'cacheRead'), to.start)
}
