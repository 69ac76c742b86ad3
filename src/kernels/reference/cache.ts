/** The definitions of cacheWrite and cacheRead. */
import type { Tensor } from '../../tensor/tensor.ts'
import type { RowSlice, Sequences } from '../contract/cached-rows.ts'
import { axisOf } from '../operations/check.ts'
import { type Memory, rowStarts } from './memory.ts'
import { readSlice, sequencesOf, vectorsAt } from './slices.ts'
import { writeVector } from './vectors.ts'

export function cacheWrite(memory: Memory, slice: RowSlice, x: Tensor, sequences: Sequences): void {
  const from = memory.open(x, 'f32', 'cacheWrite: x')
  const vectors = rowStarts(x, from.start)
  for (const sequence of sequencesOf(memory, sequences, 'cacheWrite')) {
    for (let i = 0; i < sequence.queryCount; i++) {
      vectorsAt(memory, slice, sequence, sequence.position + i, 'cacheWrite').forEach((address, g) => {
        const vector = vectors[(sequence.queryStart + i) * slice.heads + g]!
        writeVector(memory, address, slice.dtype, from.data.subarray(vector, vector + slice.width), 'cacheWrite')
      })
    }
  }
}

export function cacheRead(memory: Memory, y: Tensor, slice: RowSlice, sequences: Sequences): void {
  const count = axisOf(y, 0)
  const to = memory.open(y, 'f32', 'cacheRead: y')
  const [sequence] = sequencesOf(memory, sequences, 'cacheRead')
  if (sequence) to.data.set(readSlice(memory, slice, sequence, count, 'cacheRead'), to.start)
}
