import { DTYPE_BYTES, isScaled, vectorBytes } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type PagedRows, type RowSlice, SEQUENCE_FIELDS } from '../contract/cached-rows.ts'
import { axisOf, expect, expectDense, expectStrided, strideOf } from './check.ts'
import { CACHE_CODES } from './codes.ts'
import type { CommandList } from './command-list.ts'

export function isPaged(rows: PagedRows | Tensor): rows is PagedRows {
  return 'blockTokens' in rows
}

export function expectSequences(what: string, sequences: Tensor): void {
  expectDense(what, sequences, 'f64', axisOf(sequences, 0), SEQUENCE_FIELDS)
}

export function expectSlice(what: string, slice: RowSlice, sequences: Tensor): void {
  expect(what, slice.heads > 0 && slice.width > 0, 'at least one head and one element')
  if (isPaged(slice.rows)) return
  expectDense(what, slice.rows, 'f32', axisOf(slice.rows, 0), axisOf(slice.rows, 1))
  expect(what, slice.dtype === 'f32' && axisOf(sequences, 0) <= 1, 'contiguous rows to be f32 and of one sequence')
}

function sameRows(a: PagedRows | Tensor, b: PagedRows | Tensor): boolean {
  if (a === b) return true
  if (isPaged(a)) {
    const { blockTokens, layerOffset, rowBytes } = a
    return isPaged(b) && b.blockTokens === blockTokens && b.layerOffset === layerOffset && b.rowBytes === rowBytes
  }
  return !isPaged(b) && b.address === a.address && strideOf(b, 0) === strideOf(a, 0)
}

/** Two slices as one, where the second begins in the same rows just behind the first. */
export function joinSlices(first: RowSlice, second: RowSlice): RowSlice | null {
  const behind = first.offset + vectorBytes(first.dtype, first.width)
  const joined =
    !isScaled(first.dtype) &&
    sameRows(first.rows, second.rows) &&
    first.dtype === second.dtype &&
    first.heads === 1 &&
    second.heads === 1 &&
    second.offset === behind
  return joined ? { ...first, width: first.width + second.width } : null
}

/** In the order of `Slice` in native/ops/cache/slice.h. */
export function putSlice(list: CommandList, slice: RowSlice): void {
  const { rows } = slice
  if (isPaged(rows)) {
    list.put(rows.blockTokens)
    list.put(rows.layerOffset + slice.offset)
    list.put(rows.rowBytes)
  } else {
    list.put(0)
    list.put(rows.address + slice.offset)
    list.put(strideOf(rows, 0) * DTYPE_BYTES[rows.dtype])
  }
  list.put(CACHE_CODES[slice.dtype])
  list.put(slice.heads)
  list.put(slice.width)
  list.put(slice.headStride)
}

export function cacheWrite(list: CommandList, slice: RowSlice, x: Tensor, sequences: Tensor): void {
  const T = axisOf(x, 0)
  expectSequences('cacheWrite: sequences', sequences)
  expectSlice('cacheWrite: slice', slice, sequences)
  expect('cacheWrite: slice', isPaged(slice.rows), 'paged rows')
  expectStrided('cacheWrite: x', x, 'f32', T, slice.heads, slice.width)
  list.begin('cacheWrite', 2 * T * slice.heads * slice.width)
  putSlice(list, slice)
  list.put(x.address)
  list.put(strideOf(x, 0))
  list.put(strideOf(x, 1))
  list.put(sequences.address)
  list.put(axisOf(sequences, 0))
  list.end()
}

export function cacheRead(list: CommandList, y: Tensor, slice: RowSlice, sequences: Tensor): void {
  const count = axisOf(y, 0)
  expectSequences('cacheRead: sequences', sequences)
  expect('cacheRead: sequences', axisOf(sequences, 0) <= 1, 'one sequence')
  expectSlice('cacheRead: slice', slice, sequences)
  expectDense('cacheRead: y', y, 'f32', count, slice.heads * slice.width)
  list.begin('cacheRead', 2 * count * slice.heads * slice.width)
  list.put(y.address)
  list.put(count)
  putSlice(list, slice)
  list.put(sequences.address)
  list.put(axisOf(sequences, 0))
  list.end()
}
