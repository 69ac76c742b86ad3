import type { Tensor } from '../../tensor/tensor.ts'
import type { RowSlice } from '../contract/cached-rows.ts'
import { axisOf, expect, expectDense, expectStrided } from './check.ts'
import { count, input, operation, output, slice } from './fields.ts'
import { expectSequences, expectSlice, isPaged } from './slices.ts'

export const cacheWrite = operation({
  kernel: 'cache/read-write.h',
  record: { slice, x: input('f32', 'T', 'H'), sequences: input('f64'), B: count },
  from: (slice: RowSlice, x: Tensor, sequences: Tensor) => {
    const T = axisOf(x, 0)
    expectSequences('cacheWrite: sequences', sequences)
    expectSlice('cacheWrite: slice', slice, sequences)
    expect('cacheWrite: slice', isPaged(slice.rows), 'paged rows')
    expectStrided('cacheWrite: x', x, 'f32', T, slice.heads, slice.width)
    return { work: 2 * T * slice.heads * slice.width, slice, x, sequences, B: axisOf(sequences, 0) }
  },
})

export const cacheRead = operation({
  kernel: 'cache/read-write.h',
  record: { y: output('f32'), rows: count, slice, sequences: input('f64'), B: count },
  from: (y: Tensor, slice: RowSlice, sequences: Tensor) => {
    const rows = axisOf(y, 0)
    const B = axisOf(sequences, 0)
    expectSequences('cacheRead: sequences', sequences)
    expect('cacheRead: sequences', B <= 1, 'one sequence')
    expectSlice('cacheRead: slice', slice, sequences)
    expectDense('cacheRead: y', y, 'f32', rows, slice.heads * slice.width)
    return { work: 2 * rows * slice.heads * slice.width, y, rows, slice, sequences, B }
  },
})
