import { lastOf } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'

interface Shape {
  readonly name: string
  readonly n: number
  readonly T: number
  readonly H: number
  readonly V: number
  /** Of each part and row; default normal. */
  readonly lse?: (lab: Lab, part: number, row: number) => number
}

const inf = Number.POSITIVE_INFINITY

const SHAPES: readonly Shape[] = [
  { name: 'one part', n: 1, T: 2, H: 1, V: 3 },
  { name: 'two parts', n: 2, T: 3, H: 2, V: 7 },
  { name: 'five parts', n: 5, T: 1, H: 4, V: 129 },
  { name: 'many rows', n: 3, T: 40, H: 3, V: 16 },
  { name: 'nothing', n: 2, T: 0, H: 3, V: 5 },
  { name: 'parts far apart', n: 3, T: 2, H: 2, V: 9, lse: ({ rng }) => 300 * rng.normal() },
  {
    name: 'parts that saw nothing',
    n: 3,
    T: 4,
    H: 2,
    V: 5,
    lse: ({ rng }, part, row) => (part === row % 3 ? -inf : rng.normal()),
  },
  { name: 'one part saw something', n: 4, T: 2, H: 2, V: 17, lse: (_, part, row) => (part === row ? 3 : -inf) },
  { name: 'no part saw anything', n: 2, T: 1, H: 3, V: 6, lse: () => -inf },
]

const merges = SHAPES.map(
  ({ name, n, T, H, V, lse = ({ rng }) => rng.normal() }): ConformanceCase => ({
    op: 'mergeAttention',
    name,
    record(lab) {
      const sums = Array.from({ length: n * T * H }, (_, i) => lse(lab, Math.floor(i / (T * H)), i % (T * H)))
      const values = sums.flatMap(sum => Array.from({ length: V }, () => (sum === -inf ? 0 : lab.rng.normal())))
      lab.k.mergeAttention(
        lab.output('out', 'f32', [T, H, V]),
        lab.output('lse', 'f32', [T, H]),
        lab.input('f32', [n, T, H, V], values),
        lab.input('f32', [n, T, H], sums),
      )
    },
  }),
)

function scoresWithMask(lab: Lab, n: number): number[] {
  return Array.from({ length: n }, () => (lab.rng.below(4) === 0 ? -inf : 2 * lab.rng.normal()))
}

const probabilities = (
  [
    [1, 1, 1],
    [3, 4, 17],
    [2, 1, 300],
    [5, 0, 7],
    [16, 9, 33],
  ] as const
).flatMap(([H, T, S]): ConformanceCase[] => [
  {
    op: 'probabilities',
    name: `${H} x ${T} x ${S}`,
    record(lab) {
      const scores = lab.input('f32', [H, T, S], scoresWithMask(lab, H * T * S))
      lab.k.probabilities(
        lab.output('p', 'f32', [H, T, S]),
        scores,
        lab.input('f32', [T, H], lab.rng.normals(T * H, 1, 4)),
      )
    },
  },
  {
    op: 'probabilities',
    name: `${H} x ${T} x ${S}, in place and strided`,
    record(lab) {
      const numbers = scoresWithMask(lab, H * T * (S + 3))
      const p = lab.inout('p', 'f32', [H, T, S + 3], numbers, whole => lastOf(whole, 1, S))
      lab.k.probabilities(p, p, lab.input('f32', [T, H], lab.rng.normals(T * H, 1, 4)))
    },
  },
])

const unseen: ConformanceCase = {
  op: 'probabilities',
  name: 'a row that sees nothing',
  record(lab) {
    const scores = lab.input('f32', [1, 2, 3], [-inf, -inf, -inf, 1, -inf, 2])
    lab.k.probabilities(lab.output('p', 'f32', [1, 2, 3]), scores, lab.input('f32', [2, 1], [-inf, 3]))
  },
}

export const mergeCases: readonly ConformanceCase[] = [...merges, ...probabilities, unseen]
