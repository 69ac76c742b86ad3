/** Descriptors of sequences and their block tables, as kernels read them. */
import type { SequenceCache } from '../cache/sequence-cache.ts'
import { SEQUENCE_FIELDS, type Sequences } from '../kernels/contract/cached-rows.ts'
import type { KernelMemory } from '../kernels/contract/memory.ts'
import { rowsOf, view } from '../tensor/tensor.ts'
import type { Scratch } from './scratch.ts'

/** One row of `Sequences`. */
export type Row = readonly [
  start: number,
  count: number,
  position: number,
  keyStart: number,
  keyCount: number,
  table: number,
]

/** Block tables one behind the other: the ids, and where each cache's table begins. */
export interface BlockTables {
  readonly ids: Int32Array
  readonly starts: readonly number[]
}

export function blockTables(caches: readonly Pick<SequenceCache, 'blockIds'>[], group: number): BlockTables {
  const tables = caches.map(cache => cache.blockIds(group))
  const starts: number[] = []
  const ids = new Int32Array(tables.reduce((n, table) => n + table.length, 0))
  let end = 0
  for (const table of tables) {
    starts.push(end)
    ids.set(table, end)
    end += table.length
  }
  return { ids, starts }
}

/** Uploads rows and tables; the result takes out rows `first` .. + `count`. */
export function putSequences(
  memory: Pick<KernelMemory, 'upload'>,
  scratch: Scratch,
  rows: readonly Row[],
  ids: Int32Array,
): (first: number, count: number) => Sequences {
  const fields = rows.length * SEQUENCE_FIELDS
  const capacity = tableCapacity(ids.length)
  const buffer = scratch.take([fields + capacity], 'i32')
  const data = new Int32Array(fields + ids.length)
  data.set(rows.flat())
  data.set(ids, fields)
  if (data.length > 0) memory.upload(rowsOf(buffer, 0, data.length), data)
  const all = view(buffer, 0, [rows.length, SEQUENCE_FIELDS])
  const tables = view(buffer, fields, [capacity])
  return (first, count) => ({ rows: rowsOf(all, first, count), tables })
}

/** A power of two, so that tables seldom change a step's shape while they grow. */
function tableCapacity(length: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(length, 16)))
}
