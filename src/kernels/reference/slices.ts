import { DTYPE_BYTES, isScaled } from '../../tensor/dtype.ts'
import { type RowSlice, SEQUENCE_FIELDS, type Sequences } from '../contract/cached-rows.ts'
import { axisOf } from '../operations/check.ts'
import type { Memory } from './memory.ts'
import { readVector } from './vectors.ts'

export interface Sequence {
  readonly queryStart: number
  readonly queryCount: number
  readonly position: number
  readonly keyStart: number
  readonly keyCount: number
  /** Ids of its blocks, from position 0 on; those of other sequences may follow. */
  readonly blocks: Int32Array
}

export function sequencesOf(memory: Memory, { rows, tables }: Sequences, what: string): Sequence[] {
  const B = axisOf(rows, 0)
  const { data, start } = memory.open(rows, 'i32', `${what}: sequences`)
  const ids = tables && memory.open(tables, 'i32', `${what}: block tables`)
  const all = ids ? ids.data.subarray(ids.start, ids.start + axisOf(tables, 0)) : new Int32Array()
  return Array.from({ length: B }, (_, b) => {
    const [queryStart, queryCount, position, keyStart, keyCount, table] = data.subarray(
      start + b * SEQUENCE_FIELDS,
      start + (b + 1) * SEQUENCE_FIELDS,
    ) as unknown as [number, number, number, number, number, number]
    return { queryStart, queryCount, position, keyStart, keyCount, blocks: all.subarray(table) }
  })
}

/** Addresses of the slice's vectors in the row of an absolute position. */
export function vectorsAt(
  memory: Memory,
  slice: RowSlice,
  sequence: Sequence,
  position: number,
  what: string,
): readonly number[] {
  const first = rowAt(memory, slice, sequence, position, what) + slice.offset
  const apart = slice.headStride * (isScaled(slice.dtype) ? 1 : DTYPE_BYTES[slice.dtype])
  return Array.from({ length: slice.heads }, (_, g) => first + g * apart)
}

function rowAt(memory: Memory, { rows }: RowSlice, sequence: Sequence, position: number, what: string): number {
  if ('shape' in rows) {
    const rowBytes = axisOf(rows, 1) * DTYPE_BYTES[rows.dtype]
    return rows.address + (position - sequence.keyStart) * rowBytes
  }
  const id = sequence.blocks[Math.floor(position / rows.blockTokens)]
  if (!id) throw new RangeError(`${what}: no block for position ${position}`)
  return memory.addressOf(id) + rows.layerOffset + (position % rows.blockTokens) * rows.rowBytes
}

/** The slice's vectors at keyStart .. + count: f32 [count, heads * width]. */
export function readSlice(
  memory: Memory,
  slice: RowSlice,
  sequence: Sequence,
  count: number,
  what: string,
): Float32Array {
  const { heads, width } = slice
  const numbers = new Float32Array(count * heads * width)
  for (let s = 0; s < count; s++) {
    vectorsAt(memory, slice, sequence, sequence.keyStart + s, what).forEach((address, g) => {
      const vector = numbers.subarray((s * heads + g) * width, (s * heads + g + 1) * width)
      readVector(memory, address, slice.dtype, vector, what)
    })
  }
  return numbers
}
