import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'

const SIZES = [
  [1, 1],
  [4, 17],
  [6, 31],
  [3, 65],
  [2, 300],
  [33, 16],
  [0, 5],
] as const

interface Rows {
  readonly x: readonly (readonly number[])[]
  readonly mask?: readonly (readonly number[])[]
}

function run(lab: Lab, scale: number, { x, mask }: Rows): void {
  const shape = [x.length, x[0]!.length]
  const y = lab.output('y', 'f32', shape)
  const lse = lab.output('lse', 'f32', [x.length])
  lab.k.softmax(y, lab.input('f32', shape, x.flat()), scale, mask && lab.input('u8', shape, mask.flat()), lse)
}

const inf = Number.POSITIVE_INFINITY
const nan = Number.NaN

export const softmaxCases: readonly ConformanceCase[] = [
  ...SIZES.flatMap(([rows, n]): ConformanceCase[] => [
    {
      op: 'softmax',
      name: `${rows} x ${n}`,
      record: lab => lab.k.softmax(lab.output('y', 'f32', [rows, n]), lab.normals([rows, n], 5), 1),
    },
    {
      op: 'softmax',
      name: `${rows} x ${n} masked, with lse`,
      record(lab) {
        const mask = lab.input(
          'u8',
          [rows, n],
          Array.from({ length: rows * n }, () => lab.rng.below(2)),
        )
        const y = lab.output('y', 'f32', [rows, n])
        lab.k.softmax(y, lab.normals([rows, n], 20), 0.25, mask, lab.output('lse', 'f32', [rows]))
      },
    },
  ]),
  {
    op: 'softmax',
    name: 'rows that see nothing, or nothing but -inf',
    record: lab =>
      run(lab, 1, {
        x: [
          [1, 2, 3],
          [-inf, -inf, -inf],
          [1, -inf, 2],
          [5, 6, -inf],
        ],
        mask: [
          [0, 0, 0],
          [1, 1, 1],
          [1, 1, 1],
          [0, 0, 1],
        ],
      }),
  },
  {
    op: 'softmax',
    name: 'NaN and infinity make their row NaN, unless masked',
    record: lab =>
      run(lab, 0.5, {
        x: [
          [1, nan, 3, 0],
          [1, nan, inf, 0],
          [1, 2, inf, 0],
          [1, 2, 3, 0],
        ],
        mask: [
          [1, 1, 1, 1],
          [1, 0, 0, 1],
          [1, 1, 1, 1],
          [1, 1, 1, 1],
        ],
      }),
  },
  {
    op: 'softmax',
    name: 'scores of thousands',
    tolerance: 'softmax large',
    record(lab) {
      const numbers = Array.from({ length: 5 }, () => [...lab.rng.normals(40, 3, (lab.rng.uniform() - 0.5) * 5000)])
      run(lab, 1, { x: numbers })
    },
  },
  {
    op: 'softmax',
    name: 'one score far above the others',
    record: lab =>
      run(lab, 1, {
        x: [
          [0, 0, 80, 1],
          [1e30, 0, -1e30, 1],
          [-3e38, 3e38, 0, 0],
          [-90, -100, -200, -1000],
        ],
      }),
  },
]
