import type { CacheType } from '../../../src/tensor/dtype.ts'
import { lastOf } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'
import { makePages, putSequences } from '../pages.ts'

interface Shape {
  readonly name: string
  readonly heads: number
  readonly width: number
  readonly blockTokens?: number
  /** Of the one query of each sequence. */
  readonly positions: readonly number[]
}

const SHAPES: readonly Shape[] = [
  { name: 'first token', heads: 3, width: 8, positions: [0] },
  { name: 'odd sizes, ragged', heads: 5, width: 33, blockTokens: 5, positions: [70, 3, 0, 64] },
  { name: 'as in DeepSeek-V3.2, cut', heads: 8, width: 128, blockTokens: 64, positions: [700] },
  { name: 'no sequence', heads: 2, width: 4, positions: [] },
]

const STORED: readonly CacheType[] = ['f32', 'f16', 'bf16', 'int8', 'fp8']

/** Query rows in falling order, after one row of nobody. */
function fieldsOf(positions: readonly number[], tables: readonly number[]) {
  return positions.map((position, i) => {
    const queryStart = positions.length - i
    return { queryStart, queryCount: 1, position, keyStart: 0, keyCount: position + 1, table: tables[i] ?? 0 }
  })
}

function recordScores(lab: Lab, { heads: H, width, blockTokens = 16, positions }: Shape, dtype: CacheType): void {
  const [B, T] = [positions.length, positions.length + 1]
  const S = Math.max(1, ...positions) + 4
  const pages = makePages(lab, {
    dtype,
    segments: [{ heads: 1, width }],
    blockTokens,
    sequences: positions.map(position => ({ filled: position + 1 })),
  })
  lab.k.indexScores({
    scores: lab.output('scores', 'f32', [B, S + 3], whole => lastOf(whole, 2, S)),
    q: lastOf(lab.normals([T, H, width + 5]), 3, width),
    weights: lastOf(lab.normals([T, H + 2]), 1, H),
    keys: pages.slices[0]!,
    sequences: putSequences(lab, fieldsOf(positions, pages.tables), pages.blockTables),
    scale: (H * width) ** -0.5,
  })
}

interface Choice {
  readonly name: string
  readonly K: number
  readonly positions: readonly number[]
  readonly score: (lab: Lab, key: number) => number
}

const SPECIALS = [Number.NaN, 0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42, -1e-42, 3, -3]

const CHOICES: readonly Choice[] = [
  { name: 'random', K: 12, positions: [90, 11, 12, 0], score: lab => lab.rng.normal() },
  { name: 'many', K: 700, positions: [2000], score: lab => lab.rng.normal() },
  { name: 'one', K: 1, positions: [40], score: lab => lab.rng.normal() },
  { name: 'few values, so that ties decide', K: 10, positions: [99], score: lab => lab.rng.below(4) - 2 },
  { name: 'all alike', K: 7, positions: [30], score: () => 0 },
  { name: 'zeros of both signs', K: 7, positions: [30], score: (_, key) => (key % 2 ? 0 : -0) },
  { name: 'special numbers', K: 5, positions: [40], score: (_, key) => SPECIALS[key % SPECIALS.length]! },
  { name: 'nothing but NaN', K: 3, positions: [9], score: () => Number.NaN },
  { name: 'no sequence', K: 3, positions: [], score: () => 0 },
]

function recordChoice(lab: Lab, { K, positions, score }: Choice): void {
  const [B, T] = [positions.length, positions.length + 1]
  const S = Math.max(1, ...positions) + 6
  // What is behind the keys may hold anything.
  const scores = Array.from({ length: B * S }, (_, i) => {
    return i % S <= positions[Math.floor(i / S)]! ? score(lab, i % S) : i % 2 ? Number.NaN : 1e30
  })
  const given = lab.input('f32', [B, S], scores)
  lab.k.selectKeys(lab.output('selected', 'i32', [T, K]), given, putSequences(lab, fieldsOf(positions, []), undefined))
}

export const selectionCases: readonly ConformanceCase[] = [
  ...STORED.flatMap(stored =>
    SHAPES.map(
      (shape): ConformanceCase => ({
        op: 'indexScores',
        name: `${shape.name}, ${stored}`,
        record: lab => recordScores(lab, shape, stored),
      }),
    ),
  ),
  ...CHOICES.map(
    (choice): ConformanceCase => ({ op: 'selectKeys', name: choice.name, record: lab => recordChoice(lab, choice) }),
  ),
]
