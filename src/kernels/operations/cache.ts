import type { Tensor } from '../../tensor/tensor.ts'
import type { RowSlice, Sequences } from '../contract/cached-rows.ts'
import { axisOf, expect, expectDense, expectStrided } from './check.ts'
import { count, input, operation, output, sequences, slice } from './fields.ts'
import { expectSequences, expectSlice, isPaged } from './slices.ts'

/**
 * Writes x [T, heads, width] (strided, f32) into the slice at each query token's own position: the row of query i of
 * a sequence is position + i. Rounds to the slice's type. The slice's rows are paged.
 *
 * A scale is the largest magnitude of what shares it, divided in f32 by the largest code (127, 448); a code is the
 * number divided in f32 by the scale, rounded to nearest even. Where the scale is 0 codes are 0; where a number is
 * not finite, the scale is NaN and codes are 0.
 */
export const cacheWrite = operation({
  kernel: 'cache/read-write.h',
  record: { slice, x: input('f32', 'T', 'H'), sequences },
  from: (slice: RowSlice, x: Tensor, sequences: Sequences) => {
    const T = axisOf(x, 0)
    expectSequences('cacheWrite: sequences', sequences)
    expectSlice('cacheWrite: slice', slice, sequences)
    expect('cacheWrite: slice', isPaged(slice.rows), 'paged rows')
    expectStrided('cacheWrite: x', x, 'f32', T, slice.heads, slice.width)
    return { work: 2 * T * slice.heads * slice.width, slice, x, sequences }
  },
})

/** y [keyCount, heads * width] f32: the slice's numbers at keyStart .. + keyCount of the one sequence. */
export const cacheRead = operation({
  kernel: 'cache/read-write.h',
  record: { y: output('f32'), rows: count, slice, sequences },
  from: (y: Tensor, slice: RowSlice, sequences: Sequences) => {
    const rows = axisOf(y, 0)
    expectSequences('cacheRead: sequences', sequences)
    expect('cacheRead: sequences', axisOf(sequences.rows, 0) <= 1, 'one sequence')
    expectSlice('cacheRead: slice', slice, sequences)
    expectDense('cacheRead: y', y, 'f32', rows, slice.heads * slice.width)
    return { work: 2 * rows * slice.heads * slice.width, y, rows, slice, sequences }
  },
})
