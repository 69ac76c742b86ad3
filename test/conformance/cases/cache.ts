import type { CacheType } from '../../../src/tensor/dtype.ts'
import { lastOf } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import { makePages, putSequences, type Segment, type SequenceFields } from '../pages.ts'
import { SPECIALS } from './specials.ts'

interface Shape {
  readonly name: string
  readonly segments: readonly Segment[]
  readonly blockTokens: number
  /** Queries of each sequence and the position of the first. */
  readonly steps: readonly (readonly [queries: number, position: number])[]
}

const LATENT: readonly Segment[] = [
  { heads: 1, width: 33 },
  { heads: 1, width: 6 },
]
const GROUPED: readonly Segment[] = [
  { heads: 3, width: 20 },
  { heads: 3, width: 13 },
]

const SHAPES: readonly Shape[] = [
  { name: 'latent rows, one token', segments: LATENT, blockTokens: 16, steps: [[1, 0]] },
  { name: 'latent rows across blocks', segments: LATENT, blockTokens: 4, steps: [[11, 3]] },
  {
    name: 'key heads of ragged sequences',
    segments: GROUPED,
    blockTokens: 5,
    steps: [
      [1, 9],
      [7, 0],
      [0, 4],
      [2, 14],
    ],
  },
  {
    name: 'blocks of one token',
    segments: GROUPED,
    blockTokens: 1,
    steps: [
      [3, 2],
      [1, 0],
    ],
  },
  { name: 'one wide row', segments: [{ heads: 1, width: 576 }], blockTokens: 8, steps: [[3, 6]] },
  { name: 'no sequence', segments: LATENT, blockTokens: 4, steps: [] },
]

const STORED: readonly CacheType[] = ['f32', 'f16', 'bf16', 'int8', 'fp8']

/** Query rows of the sequences lie behind each other, after one row of nobody. */
function fieldsOf(steps: Shape['steps'], tables: readonly number[]): SequenceFields[] {
  let queryStart = 1
  return steps.map(([queryCount, position], i) => {
    const keyCount = position + queryCount
    const fields = { queryStart, queryCount, position, keyStart: 0, keyCount, table: tables[i]! }
    queryStart += queryCount
    return fields
  })
}

const writes = STORED.flatMap(dtype =>
  SHAPES.map(
    ({ name, segments, blockTokens, steps }): ConformanceCase => ({
      op: 'cacheWrite',
      name: `${dtype}, ${name}`,
      record(lab) {
        const sequences = steps.map(([queries, position]) => ({ filled: position, room: position + queries }))
        const { slices, tables, blockTables } = makePages(lab, {
          dtype,
          segments,
          blockTokens,
          sequences,
          output: 'blocks',
        })
        const T = 1 + steps.reduce((sum, [queries]) => sum + queries, 0)
        const fields = putSequences(lab, fieldsOf(steps, tables), blockTables)
        for (const slice of slices) {
          // A part of every head of a wider row.
          const x = lastOf(lab.normals([T, slice.heads, slice.width + 5]), 2, slice.width)
          lab.k.cacheWrite(slice, x, fields)
        }
      },
    }),
  ),
)

const corners = STORED.map(
  (dtype): ConformanceCase => ({
    op: 'cacheWrite',
    name: `${dtype}, special numbers`,
    record(lab) {
      const width = SPECIALS.length
      const { slices, tables, blockTables } = makePages(lab, {
        dtype,
        segments: [{ heads: 1, width }],
        blockTokens: 2,
        sequences: [{ filled: 0, room: 2 }],
        output: 'blocks',
      })
      const x = lab.input('f32', [2, 1, width], [...SPECIALS, ...SPECIALS.map(value => value * (1 + 2 ** -9))])
      const one = { queryStart: 0, queryCount: 2, position: 0, keyStart: 0, keyCount: 2, table: tables[0]! }
      lab.k.cacheWrite(slices[0]!, x, putSequences(lab, [one], blockTables))
    },
  }),
)

const reads = STORED.flatMap(dtype =>
  (
    [
      [LATENT, 4, 0, 11],
      [GROUPED, 5, 7, 9],
      [GROUPED, 16, 15, 2],
      [LATENT, 1, 3, 1],
      [LATENT, 8, 8, 0],
    ] as const
  ).map(
    ([segments, blockTokens, keyStart, keyCount]): ConformanceCase => ({
      op: 'cacheRead',
      name: `${dtype}, ${keyCount} from ${keyStart}, blocks of ${blockTokens}, ${segments[0]!.heads} heads`,
      record(lab) {
        const { slices, tables, blockTables } = makePages(lab, {
          dtype,
          segments,
          blockTokens,
          sequences: [{ filled: 3 }, { freed: keyStart, filled: keyStart + keyCount }],
        })
        const fields = { queryStart: 0, queryCount: 0, position: keyStart + keyCount, keyStart, keyCount }
        const sequence = putSequences(lab, [{ ...fields, table: tables[1]! }], blockTables)
        slices.forEach((slice, i) => {
          lab.k.cacheRead(lab.output(`y${i}`, 'f32', [keyCount, slice.heads * slice.width]), slice, sequence)
        })
      },
    }),
  ),
)

const contiguous: ConformanceCase = {
  op: 'cacheRead',
  name: 'contiguous rows',
  record(lab) {
    const rows = lab.normals([6, 4 * 9])
    const slice = { rows, dtype: 'f32', offset: 3 * 4, heads: 4, width: 5, headStride: 9 } as const
    const fields = { queryStart: 0, queryCount: 0, position: 40, keyStart: 34, keyCount: 6, table: 0 }
    lab.k.cacheRead(lab.output('y', 'f32', [6, 20]), slice, putSequences(lab, [fields]))
  },
}

/** What was written can be read in the same list of operations. */
const roundTrip: ConformanceCase = {
  op: 'cacheRead',
  name: 'rows written just before',
  record(lab) {
    const sequences = [{ filled: 2, room: 9 }]
    const segments = GROUPED
    const { slices, tables, blockTables } = makePages(lab, {
      dtype: 'bf16',
      segments,
      blockTokens: 4,
      sequences,
      output: 'blocks',
    })
    const fields = { queryStart: 0, queryCount: 7, position: 2, keyStart: 0, keyCount: 9, table: tables[0]! }
    const sequence = putSequences(lab, [fields], blockTables)
    slices.forEach((slice, i) => {
      lab.k.cacheWrite(slice, lab.normals([7, slice.heads, slice.width]), sequence)
      lab.k.cacheRead(lab.output(`y${i}`, 'f32', [9, slice.heads * slice.width]), slice, sequence)
    })
  },
}

export const cacheCases: readonly ConformanceCase[] = [...writes, ...corners, ...reads, contiguous, roundTrip]
