import { lastOf, splitHeads, type Tensor } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'

type Norm = 'rmsNorm' | 'layerNorm'

function run(lab: Lab, norm: Norm, y: Tensor, x: Tensor, eps = 1e-5, bias = true): void {
  const n = x.shape.at(-1)!
  const weight = lab.normals([n])
  if (norm === 'rmsNorm') lab.k.rmsNorm(y, x, weight, eps)
  else lab.k.layerNorm(y, x, weight, bias ? lab.normals([n]) : null, eps)
}

const SIZES = [
  [5, 33],
  [1, 1],
  [3, 2],
  [1, 300],
  [4, 257],
  [2, 16],
  [37, 64],
  [0, 8],
] as const

function casesOf(op: Norm): ConformanceCase[] {
  const rowsOf = (name: string, numbers: (lab: Lab) => Float32Array[], tolerance?: string): ConformanceCase => ({
    op,
    name,
    ...(tolerance && { tolerance }),
    record(lab) {
      const rows = numbers(lab)
      const shape = [rows.length, rows[0]!.length]
      const x = lab.input(
        'f32',
        shape,
        rows.flatMap(row => [...row]),
      )
      run(lab, op, lab.output('y', 'f32', shape), x)
    },
  })
  return [
    ...SIZES.map(
      ([rows, n]): ConformanceCase => ({
        op,
        name: `${rows} x ${n}`,
        record: lab => run(lab, op, lab.output('y', 'f32', [rows, n]), lab.normals([rows, n], 3), 1e-6),
      }),
    ),
    rowsOf('large, small and zero rows', ({ rng }) => [
      rng.normals(65, 1e15),
      rng.normals(65, 1e-4),
      rng.normals(65, 1e-20),
      new Float32Array(65),
      new Float32Array(65).fill(7),
    ]),
    rowsOf('NaN and infinity stay in their row', ({ rng }) => {
      const rows = Array.from({ length: 4 }, () => rng.normals(21))
      rows[1]![20] = Number.NaN
      rows[2]![3] = Number.NEGATIVE_INFINITY
      return rows
    }),
    {
      op,
      name: 'heads of a fused projection, in place',
      record(lab) {
        const heads = (whole: Tensor) => lastOf(splitHeads(whole, 3), 4, 9)
        const y = lab.inout('y', 'f32', [4, 3 * 15], lab.rng.normals(4 * 45), heads)
        run(lab, op, y, y)
      },
    },
    {
      op,
      name: 'a slice of every row',
      record(lab) {
        const y = lab.output('y', 'f32', [3, 40], whole => lastOf(whole, 3, 31))
        run(lab, op, y, lastOf(lab.normals([3, 37]), 5, 31), 1e-6, false)
      },
    },
  ]
}

export const normCases: readonly ConformanceCase[] = [
  ...casesOf('rmsNorm'),
  ...casesOf('layerNorm'),
  {
    op: 'layerNorm',
    name: 'mean far from zero',
    tolerance: 'layerNorm offset',
    record(lab) {
      const x = lab.input('f32', [3, 100], lab.rng.normals(300, 1, 100))
      run(lab, 'layerNorm', lab.output('y', 'f32', [3, 100]), x)
    },
  },
]
