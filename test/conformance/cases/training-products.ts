/** Products as training takes them, and what is rounded of their factors. */
import type { Factors } from '../../../src/kernels/contract/operation-options.ts'
import { lastOf, type Tensor } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'
import { EXPERTS, expertPlan, nameOf } from './products-backward.ts'
import { added } from './rows-backward.ts'

const SHAPES = [
  { T: 1, rows: 1, cols: 1 },
  { T: 1, rows: 33, cols: 57 },
  { T: 5, rows: 31, cols: 16 },
  { T: 7, rows: 130, cols: 300 },
  { T: 16, rows: 48, cols: 64 },
  { T: 37, rows: 67, cols: 45 },
  { T: 401, rows: 20, cols: 31 },
  { T: 200, rows: 100, cols: 513 },
  // More than one block of rows, and sums that are taken apart.
  { T: 34, rows: 20, cols: 1301 },
  { T: 530, rows: 700, cols: 33 },
  { T: 0, rows: 5, cols: 7 },
] as const

const FACTORS: readonly Factors[] = ['f32', 'bf16']

const products = FACTORS.flatMap((factors): ConformanceCase[] => [
  ...SHAPES.map(
    ({ T, rows, cols }): ConformanceCase => ({
      op: 'trainingMatmul',
      name: `[${T}, ${cols}] by ${rows} x ${cols}, factors ${factors}`,
      async record(lab) {
        const w = await lab.weight('f32', rows, cols)
        lab.k.trainingMatmul(lab.output('y', 'f32', [T, rows]), lab.normals([T, cols]), w, { factors })
      },
    }),
  ),
  ...(['bf16', 'f16', 'q8_0'] as const).map(
    (dtype): ConformanceCase => ({
      op: 'trainingMatmul',
      name: `${dtype} weight, factors ${factors}`,
      async record(lab) {
        const w = await lab.weight(dtype, 48, 288)
        lab.k.trainingMatmul(lab.output('y', 'f32', [9, 48]), lab.normals([9, 288]), w, { factors })
      },
    }),
  ),
  ...[40, 300].flatMap((cols): ConformanceCase[] => [
    {
      op: 'trainingMatmul',
      name: `${cols} columns with bias, residual and scale, factors ${factors}`,
      async record(lab) {
        const w = await lab.weight('f32', 45, cols)
        const options = { bias: lab.normals([45], 5), residual: lab.normals([6, 45], 5), scale: 0.375, factors }
        lab.k.trainingMatmul(lab.output('y', 'f32', [6, 45]), lab.normals([6, cols]), w, options)
      },
    },
    {
      op: 'trainingMatmul',
      name: `${cols} columns with bias and scale, factors ${factors}`,
      async record(lab) {
        const w = await lab.weight('f32', 45, cols)
        const options = { bias: lab.normals([45], 5), scale: -2, factors }
        lab.k.trainingMatmul(lab.output('y', 'f32', [6, 45]), lab.normals([6, cols]), w, options)
      },
    },
    {
      op: 'trainingMatmul',
      name: `${cols} columns, strided rows added to y itself, factors ${factors}`,
      async record(lab) {
        const w = await lab.weight('f32', 37, cols)
        const y = lab.inout('y', 'f32', [20, 45], lab.rng.normals(20 * 45), (whole: Tensor) => lastOf(whole, 3, 37))
        lab.k.trainingMatmul(y, lastOf(lab.normals([20, cols + 8]), 5, cols), w, { residual: y, scale: 2, factors })
      },
    },
  ]),
  {
    op: 'trainingMatmul',
    name: `NaN and infinity stay in their row, factors ${factors}`,
    async record(lab) {
      const w = await lab.weight('f32', 35, 51)
      const x = lab.rng.normals(6 * 51)
      x[51 + 50] = Number.NaN
      x[102] = Number.POSITIVE_INFINITY
      x[153] = Number.POSITIVE_INFINITY
      x[154] = Number.NEGATIVE_INFINITY
      x.fill(0, 204, 255)
      lab.k.trainingMatmul(lab.output('y', 'f32', [6, 35]), lab.input('f32', [6, 51], x), w, { factors })
    },
  },
])

/** Halfway between two numbers of bf16, and close beside: 1 + (2 n + 1) / 256. */
function halfway(n: number): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => 1 + (2 * i + 1) / 256 + [0, 2 ** -23, -(2 ** -23)][i % 3]!)
}

const rounded: ConformanceCase[] = [
  {
    op: 'trainingMatmul',
    name: 'ties are rounded to even',
    async record(lab) {
      const w = await lab.weight('f32', 60, 1, { data: halfway(60) })
      const x = lab.input('f32', [4, 1], Float32Array.of(1, -1, 3, 0.125))
      lab.k.trainingMatmul(lab.output('y', 'f32', [4, 60]), x, w, { factors: 'bf16' })
    },
  },
  ...SHAPES.flatMap(({ T, rows, cols }): ConformanceCase[] => [
    {
      op: 'matmulBackward',
      name: `[${T}, ${rows}] by ${rows} x ${cols}, factors bf16`,
      async record(lab) {
        const w = await lab.weight('f32', rows, cols)
        lab.k.matmulBackward(added(lab, 'dx', [T, cols]), lab.normals([T, rows]), w, 0.5, 'bf16')
      },
    },
    {
      op: 'weightBackward',
      name: `${rows} x ${cols} of ${T} rows, factors bf16`,
      record(lab) {
        const [dy, x] = [lab.normals([T, rows]), lab.normals([T, cols])]
        lab.k.weightBackward(added(lab, 'dw', [rows, cols]), dy, x, 2, 'bf16')
      },
    },
  ]),
  ...(['f32', 'bf16'] as const).map(
    (factors): ConformanceCase => ({
      op: 'matmulBackward',
      name: `written, not added, factors ${factors}`,
      async record(lab) {
        const w = await lab.weight('f32', 270, 40)
        lab.k.matmulBackward(lab.output('dx', 'f32', [9, 40]), lab.normals([9, 270]), w, 0.5, factors, false)
      },
    }),
  ),
  {
    op: 'matmulBackward',
    name: 'quantised weight, factors bf16',
    async record(lab) {
      const w = await lab.weight('q8_0', 64, 96)
      lab.k.matmulBackward(added(lab, 'dx', [9, 96]), lab.normals([9, 64]), w, 1, 'bf16')
    },
  },
]

const SHAPE = { T: 21, K: 2, experts: 4, rows: 70, cols: 41 }
const [T, K, experts, rows, cols] = [21, 2, 4, 70, 41]

const ofExperts = FACTORS.flatMap((factors): ConformanceCase[] => [
  ...[...EXPERTS, SHAPE].flatMap(shape =>
    [true, false].map(
      (gather): ConformanceCase => ({
        op: 'trainingExpertMatmul',
        name: `${nameOf(shape)}, ${gather ? 'gathers' : 'grouped'}, factors ${factors}`,
        async record(lab: Lab) {
          const { T, K, experts, rows, cols } = shape
          const w = await lab.experts('f32', experts, rows, cols)
          const [y, x] = [lab.output('y', 'f32', [T * K, rows]), lab.normals([gather ? T : T * K, cols])]
          lab.k.trainingExpertMatmul(y, x, w, expertPlan(lab, shape), gather, factors)
        },
      }),
    ),
  ),
  {
    op: 'expertMatmulBackward',
    name: `factors ${factors}`,
    async record(lab) {
      const w = await lab.experts('f32', experts, rows, cols)
      const dx = added(lab, 'dx', [T * K, cols])
      lab.k.expertMatmulBackward(dx, lab.normals([T * K, rows]), w, expertPlan(lab, SHAPE), factors)
    },
  },
  {
    op: 'expertWeightBackward',
    name: `gathers, factors ${factors}`,
    record(lab) {
      const [dy, x] = [lab.normals([T * K, rows]), lab.normals([T, cols])]
      const dw = added(lab, 'dw', [experts, rows, cols])
      lab.k.expertWeightBackward(dw, dy, x, expertPlan(lab, SHAPE), true, factors)
    },
  },
])

export const trainingProductCases: readonly ConformanceCase[] = [...products, ...rounded, ...ofExperts]
