import type { FloatType } from '../../../src/tensor/dtype.ts'
import { lastOf, type Tensor } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import { SPECIALS } from './specials.ts'

interface Shape {
  readonly T: number
  readonly rows: number
  readonly cols: number
}

const SHAPES: readonly Shape[] = [
  { T: 1, rows: 1, cols: 1 },
  { T: 1, rows: 33, cols: 57 },
  { T: 1, rows: 600, cols: 129 },
  { T: 2, rows: 17, cols: 300 },
  { T: 5, rows: 31, cols: 16 },
  { T: 7, rows: 130, cols: 200 },
  { T: 16, rows: 48, cols: 64 },
  { T: 37, rows: 67, cols: 45 },
  { T: 65, rows: 20, cols: 31 },
  { T: 3, rows: 2, cols: 600 },
  { T: 0, rows: 5, cols: 7 },
]

interface Kind {
  readonly dtype: FloatType
  readonly scales?: readonly [number, number]
  readonly transposed?: boolean
}

const KINDS: readonly Kind[] = [
  { dtype: 'f32' },
  { dtype: 'f16' },
  { dtype: 'bf16' },
  { dtype: 'e4m3', scales: [128, 128] },
  { dtype: 'e4m3', scales: [3, 20] },
]

const plain = KINDS.flatMap(kind =>
  SHAPES.map(
    ({ T, rows, cols }): ConformanceCase => ({
      op: 'matmul',
      name: `[${T}, ${cols}] by ${rows} x ${cols} ${kind.dtype}${kind.scales ? ` by ${kind.scales.join(' x ')}` : ''}`,
      async record(lab) {
        const w = await lab.weight(kind.dtype, rows, cols, kind)
        lab.k.matmul(lab.output('y', 'f32', [T, rows]), lab.normals([T, cols]), w)
      },
    }),
  ),
)

const others: ConformanceCase[] = [
  ...(['f32', 'f16', 'bf16', 'e4m3'] as const).map(
    (dtype): ConformanceCase => ({
      op: 'matmul',
      name: `${dtype} stored transposed`,
      async record(lab) {
        const w = await lab.weight(dtype, 35, 18, { transposed: true })
        lab.k.matmul(lab.output('y', 'f32', [4, 35]), lab.normals([4, 18]), w)
      },
    }),
  ),
  {
    op: 'matmul',
    name: 'e4m3 without scales',
    async record(lab) {
      const w = await lab.weight('e4m3', 19, 40)
      lab.k.matmul(lab.output('y', 'f32', [3, 19]), lab.normals([3, 40]), w)
    },
  },
  ...[1, 6].map(
    (T): ConformanceCase => ({
      op: 'matmul',
      name: `${T} rows with bias, residual and scale`,
      async record(lab) {
        const w = await lab.weight('bf16', 45, 50)
        const y = lab.output('y', 'f32', [T, 45])
        const options = { bias: lab.normals([45], 5), residual: lab.normals([T, 45], 5), scale: 0.375 }
        lab.k.matmul(y, lab.normals([T, 50]), w, options)
      },
    }),
  ),
  {
    op: 'matmul',
    name: 'bias alone',
    async record(lab) {
      const w = await lab.weight('f32', 21, 9)
      lab.k.matmul(lab.output('y', 'f32', [5, 21]), lab.normals([5, 9]), w, { bias: lab.normals([21]) })
    },
  },
  {
    op: 'matmul',
    name: 'scale alone',
    async record(lab) {
      const w = await lab.weight('f16', 8, 9)
      lab.k.matmul(lab.output('y', 'f32', [2, 8]), lab.normals([2, 9]), w, { scale: -3.5 })
    },
  },
  ...[1, 9].map(
    (T): ConformanceCase => ({
      op: 'matmul',
      name: `${T} rows added to y itself`,
      async record(lab) {
        const w = await lab.weight('f32', 70, 31)
        const y = lab.inout('y', 'f32', [T, 70], lab.rng.normals(T * 70))
        lab.k.matmul(y, lab.normals([T, 31]), w, { residual: y })
      },
    }),
  ),
  ...[1, 3, 20].map(
    (T): ConformanceCase => ({
      op: 'matmul',
      name: `${T} strided rows, residual too`,
      async record(lab) {
        const w = await lab.weight('bf16', 37, 22)
        const part = (whole: Tensor) => lastOf(whole, 3, 37)
        const y = lab.inout('y', 'f32', [T, 45], lab.rng.normals(T * 45), part)
        lab.k.matmul(y, lastOf(lab.normals([T, 30]), 5, 22), w, { residual: y, scale: 2 })
      },
    }),
  ),
  {
    op: 'matmul',
    name: 'NaN and infinity stay in their row',
    async record(lab) {
      const w = await lab.weight('f32', 35, 50)
      const x = lab.rng.normals(6 * 50)
      x[50 + 49] = Number.NaN
      x[100] = Number.POSITIVE_INFINITY
      x[150] = Number.POSITIVE_INFINITY
      x[151] = Number.NEGATIVE_INFINITY
      x.fill(0, 200, 250)
      lab.k.matmul(lab.output('y', 'f32', [6, 35]), lab.input('f32', [6, 50], x), w)
    },
  },
  {
    op: 'matmul',
    name: 'infinity in x against zeros and signs of the weight',
    async record(lab) {
      const n = SPECIALS.length
      const w = await lab.weight('f32', 3, 1, { data: Float32Array.of(0, 1, -1) })
      lab.k.matmul(lab.output('y', 'f32', [n, 3]), lab.input('f32', [n, 1], SPECIALS), w)
    },
  },
  {
    op: 'matmul',
    name: 'NaN and infinity in a weight stay in their column',
    async record(lab) {
      const data = lab.rng.normals(20 * 33)
      data[33 + 32] = Number.NaN
      data[66] = Number.NEGATIVE_INFINITY
      const w = await lab.weight('f32', 20, 33, { data })
      lab.k.matmul(lab.output('y', 'f32', [3, 20]), lab.normals([3, 33]), w)
    },
  },
  ...(
    [
      { T: 1, rows: 41, cols: 2100 },
      { T: 3, rows: 20, cols: 4097 },
      { T: 35, rows: 300, cols: 700 },
      { T: 150, rows: 13, cols: 70 },
    ] as const
  ).map(
    ({ T, rows, cols }): ConformanceCase => ({
      op: 'matmul',
      name: `long rows and many of them: [${T}, ${cols}] by ${rows} x ${cols} bf16`,
      tolerance: 'matmul long',
      async record(lab) {
        const w = await lab.weight('bf16', rows, cols)
        lab.k.matmul(lab.output('y', 'f32', [T, rows]), lab.normals([T, cols]), w)
      },
    }),
  ),
  {
    op: 'matmul',
    name: 'large terms that cancel',
    tolerance: 'matmul cancelling',
    async record(lab) {
      const w = await lab.weight('f32', 24, 100, { data: lab.rng.normals(2400, 1, 1000) })
      const x = lab.rng.normals(300, 1000)
      for (let i = 0; i < 300; i += 2) x[i + 1] = -x[i]!
      lab.k.matmul(lab.output('y', 'f32', [3, 24]), lab.input('f32', [3, 100], x), w)
    },
  },
  {
    op: 'matmul',
    name: 'the whole range of e4m3, NaN codes too',
    async record(lab) {
      const data = Uint8Array.from({ length: 256 }, (_, code) => code)
      const w = await lab.weight('e4m3', 256, 1, { data, scales: [16, 1] })
      lab.k.matmul(lab.output('y', 'f32', [2, 256]), lab.normals([2, 1]), w)
    },
  },
]

export const matmulCases: readonly ConformanceCase[] = [...plain, ...others]
