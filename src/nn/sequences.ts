/** Descriptors of sequences and their block tables, as kernels read them. */
import type { SequenceCache } from '../cache/sequence-cache.ts'
import { SEQUENCE_FIELDS, type Sequences } from '../kernels/contract/cached-rows.ts'
import type { KernelMemory } from '../kernels/contract/memory.ts'
import { rowsOf, type Tensor, view } from '../tensor/tensor.ts'
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

/** Block tables one behind the other. */
export interface BlockTables {
  readonly tables: readonly Int32Array[]
  /** Where each begins. */
  readonly starts: readonly number[]
  /** Numbers kept for all of them: a power of two, so that tables seldom change a step's shape while they grow. */
  readonly capacity: number
}

export function blockTables(
  sequences: readonly { readonly cache: Pick<SequenceCache, 'blockIds'> }[],
  group: number,
): BlockTables {
  const tables: Int32Array[] = []
  const starts: number[] = []
  let end = 0
  for (const { cache } of sequences) {
    const table = cache.blockIds(group)
    tables.push(table)
    starts.push(end)
    end += table.length
  }
  return { tables, starts, capacity: 2 ** Math.ceil(Math.log2(Math.max(end, 16))) }
}

/** Writes rows from `at` on, and the tables behind them. */
export function writeSequences(
  numbers: Int32Array,
  at: number,
  rows: readonly Row[],
  { tables, starts }: BlockTables,
): void {
  let next = at
  for (const row of rows) for (let i = 0; i < SEQUENCE_FIELDS; i++) numbers[next++] = row[i] as number
  for (let i = 0; i < tables.length; i++) numbers.set(tables[i] as Int32Array, next + (starts[i] as number))
}

/** What `writeSequences` wrote, in memory; the result takes out rows `first` .. + `count`. */
export function sequencesIn(
  numbers: Tensor,
  at: number,
  rows: number,
  capacity: number,
): (first: number, count: number) => Sequences {
  const all = view(numbers, at, [rows, SEQUENCE_FIELDS])
  const tables = view(numbers, at + rows * SEQUENCE_FIELDS, [capacity])
  return (first, count) => ({ rows: rowsOf(all, first, count), tables })
}

/** Uploads rows of one sequence. */
export function putSequence(
  memory: Pick<KernelMemory, 'upload'>,
  scratch: Scratch,
  row: Row,
  cache: SequenceCache,
  group: number,
): Sequences {
  return putSequences(memory, scratch, [row], blockTables([{ cache }], group))
}

/** Uploads rows and the tables that they name. */
export function putSequences(
  memory: Pick<KernelMemory, 'upload'>,
  scratch: Scratch,
  rows: readonly Row[],
  tables: BlockTables,
): Sequences {
  const numbers = new Int32Array(rows.length * SEQUENCE_FIELDS + tables.capacity)
  writeSequences(numbers, 0, rows, tables)
  const buffer = scratch.take([numbers.length], 'i32')
  memory.upload(buffer, numbers)
  return sequencesIn(buffer, 0, rows.length, tables.capacity)(0, rows.length)
}
