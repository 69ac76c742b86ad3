/** Checks of what lies in the cache. */
import type { Tensor } from '../../tensor/tensor.ts'
import { type PagedRows, type RowSlice, SEQUENCE_FIELDS } from '../contract/cached-rows.ts'
import { axisOf, expect, expectDense } from './check.ts'

export function isPaged(rows: PagedRows | Tensor): rows is PagedRows {
  return 'blockTokens' in rows
}

export function expectSequences(what: string, sequences: Tensor): void {
  expectDense(what, sequences, 'f64', axisOf(sequences, 0), SEQUENCE_FIELDS)
}

/** What can be known without reading the sequences. */
export function expectSlice(what: string, slice: RowSlice, sequences: Tensor): void {
  expect(what, slice.heads > 0 && slice.width > 0, 'at least one head and one element')
  if (isPaged(slice.rows)) return
  expectDense(what, slice.rows, 'f32', axisOf(slice.rows, 0), axisOf(slice.rows, 1))
  expect(what, slice.dtype === 'f32' && axisOf(sequences, 0) <= 1, 'contiguous rows to be f32 and of one sequence')
}
