import { DTYPE_BYTES } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type RowSlice, SEQUENCE_FIELDS } from '../contract.ts'
import { axisOf, expect, expectContiguous, expectShape } from './check.ts'
import { readNumbers } from './convert.ts'
import type { Memory, Numbers } from './memory.ts'

export interface Sequence {
  readonly queryStart: number
  readonly queryCount: number
  readonly position: number
  readonly keyStart: number
  readonly keyCount: number
  readonly table: number
}

/** The rows of an f64 tensor [B, 6]. */
export function sequencesOf(memory: Memory, sequences: Tensor, what: string): Sequence[] {
  const B = axisOf(sequences, 0)
  expectShape(`${what}: sequences`, sequences, [B, SEQUENCE_FIELDS])
  expectContiguous(`${what}: sequences`, sequences)
  const { data, start } = memory.open(sequences, 'f64', `${what}: sequences`)
  return Array.from({ length: B }, (_, b) => {
    const [queryStart, queryCount, position, keyStart, keyCount, table] = data.subarray(
      start + b * SEQUENCE_FIELDS,
      start + (b + 1) * SEQUENCE_FIELDS,
    ) as unknown as [number, number, number, number, number, number]
    return { queryStart, queryCount, position, keyStart, keyCount, table }
  })
}

/** What can be known without reading the sequences. */
export function expectSlice(what: string, slice: RowSlice, batch: number): void {
  expect(what, slice.heads > 0 && slice.width > 0, 'at least one head and one element')
  if (!('shape' in slice.rows)) return
  expectShape(what, slice.rows, [axisOf(slice.rows, 0), axisOf(slice.rows, 1)])
  expectContiguous(what, slice.rows)
  expect(what, slice.dtype === 'f32' && batch <= 1, 'contiguous rows to be f32 and of one sequence')
}

/** Where the slice lies in the row of an absolute position. */
export function sliceAt(
  memory: Memory,
  slice: RowSlice,
  sequence: Sequence,
  position: number,
  what: string,
): Numbers<RowSlice['dtype']> {
  const extent = (slice.heads - 1) * slice.headStride + slice.width
  const { rows } = slice
  if ('shape' in rows) {
    const rowBytes = axisOf(rows, 1) * DTYPE_BYTES[rows.dtype]
    const row = rows.address + (position - sequence.keyStart) * rowBytes
    return memory.at(row + slice.offset, slice.dtype, extent, what)
  }
  const entry = sequence.table + Math.floor(position / rows.blockTokens) * DTYPE_BYTES.f64
  const table = memory.at(entry, 'f64', 1, `${what}: block table`)
  const block = table.data[table.start]!
  const row = block + rows.layerOffset + (position % rows.blockTokens) * rows.rowBytes
  return memory.at(row + slice.offset, slice.dtype, extent, what)
}

/** The slice's vectors at keyStart .. + count: f32 [count, heads * width]. */
export function readSlice(
  memory: Memory,
  slice: RowSlice,
  sequence: Sequence,
  count: number,
  what: string,
): Float32Array {
  const { heads, width, headStride } = slice
  const numbers = new Float32Array(count * heads * width)
  for (let s = 0; s < count; s++) {
    const { data, start } = sliceAt(memory, slice, sequence, sequence.keyStart + s, what)
    for (let g = 0; g < heads; g++) {
      const vector = numbers.subarray((s * heads + g) * width, (s * heads + g + 1) * width)
      readNumbers(vector, data, start + g * headStride, slice.dtype)
    }
  }
  return numbers
}
