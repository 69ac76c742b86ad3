import { lastOf } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'

const inf = Number.POSITIVE_INFINITY

function scoresWithMask(lab: Lab, n: number): number[] {
  return Array.from({ length: n }, () => (lab.rng.below(4) === 0 ? -inf : 2 * lab.rng.normal()))
}

const shapes = (
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

export const probabilityCases: readonly ConformanceCase[] = [...shapes, unseen]
