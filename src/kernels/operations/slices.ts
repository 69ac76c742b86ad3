/** Checks of what lies in the cache. */
import type { Tensor } from '../../tensor/tensor.ts'
import { type PagedRows, type RowSlice, SEQUENCE_FIELDS, type Sequences } from '../contract/cached-rows.ts'
import { axisOf, expect, expectDense } from './check.ts'

export function isPaged(rows: PagedRows | Tensor): rows is PagedRows {
  return 'blockTokens' in rows
}

export function expectSequences(what: string, { rows, tables }: Sequences): void {
  expectDense(what, rows, 'i32', axisOf(rows, 0), SEQUENCE_FIELDS)
  if (tables) expectDense(`${what}: tables`, tables, 'i32', axisOf(tables, 0))
}

/** What can be known without reading the sequences. `single`: each of them is one query, and they may all be of one text. */
export function expectSlice(what: string, slice: RowSlice, { rows, tables }: Sequences, single = false): void {
  expect(what, slice.heads > 0 && slice.width > 0, 'at least one head and one element')
  if (isPaged(slice.rows)) {
    expect(what, tables !== undefined, 'block tables for paged rows')
    return
  }
  expectDense(what, slice.rows, 'f32', axisOf(slice.rows, 0), axisOf(slice.rows, 1))
  expect(
    what,
    slice.dtype === 'f32' && (single || axisOf(rows, 0) <= 1),
    'contiguous rows to be f32 and of one sequence',
  )
}
