import type { BlockType } from '../../../src/tensor/dtype.ts'
import { lastOf, rowsOf, type Tensor, view } from '../../../src/tensor/tensor.ts'
import { eightBitRows, RANDOM_BLOCK_TYPES } from '../../support/blocks.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'

/** Products on quantised weights. Activations are such that 8 bits hold them, so that one tolerance serves all. */
function rows(lab: Lab, T: number, cols: number): Tensor {
  return lab.input('f32', [T, cols], eightBitRows(T, cols, lab.rng))
}

const SHAPES = [
  { T: 1, rows: 40, cols: 512 },
  { T: 2, rows: 16, cols: 256 },
  { T: 5, rows: 33, cols: 256 },
  { T: 23, rows: 5, cols: 768 },
  { T: 150, rows: 70, cols: 256 },
  { T: 0, rows: 5, cols: 256 },
] as const

const matmuls = RANDOM_BLOCK_TYPES.flatMap(dtype =>
  SHAPES.map(
    ({ T, rows: n, cols }): ConformanceCase => ({
      op: 'matmul',
      name: `[${T}, ${cols}] by ${n} x ${cols} ${dtype}`,
      async record(lab) {
        const w = await lab.weight(dtype, n, cols)
        lab.k.matmul(lab.output('y', 'f32', [T, n]), rows(lab, T, cols), w)
      },
    }),
  ),
)

const embeddings = RANDOM_BLOCK_TYPES.map(
  (dtype): ConformanceCase => ({
    op: 'embed',
    name: `rows of 37 x 512 ${dtype}`,
    async record(lab) {
      const w = await lab.weight(dtype, 37, 512)
      lab.k.embed(lab.output('y', 'f32', [4, 512]), w, lab.input('i32', [4], [36, 0, 17, 36]), 0.75)
    },
  }),
)

const HEADS = [
  // Whole tiles of 16 rows, and heads that begin anywhere.
  { T: 1, H: 3, N: 16, V: 32, C: 256 },
  { T: 7, H: 2, N: 20, V: 13, C: 256 },
  { T: 19, H: 5, N: 3, V: 40, C: 512 },
] as const

const heads = RANDOM_BLOCK_TYPES.flatMap(dtype =>
  HEADS.flatMap(({ T, H, N, V, C }): ConformanceCase[] => {
    const sizes = `${dtype} T ${T} H ${H} N ${N} V ${V} C ${C}`
    const kvB = (lab: Lab) => lab.weight(dtype, H * (N + V), C)
    const raise = { headRows: N + V, firstRow: N, rows: V, transposed: false }
    return [
      {
        op: 'headMatmul',
        name: `absorbs a query, strided, ${sizes}`,
        async record(lab) {
          const w = await kvB(lab)
          const x = lastOf(lab.normals([T, H, N + 6]), 0, N)
          const y = lab.output('y', 'f32', [T, H, C + 6], whole => lastOf(whole, 0, C))
          lab.k.headMatmul(y, x, w, { headRows: N + V, firstRow: 0, rows: N, transposed: true })
        },
      },
      {
        op: 'headMatmul',
        name: `raises an output, ${sizes}`,
        async record(lab) {
          const w = await kvB(lab)
          const x = lab.input('f32', [T, H, C], eightBitRows(T * H, C, lab.rng))
          lab.k.headMatmul(lab.output('y', 'f32', [T, H, V]), x, w, raise)
        },
      },
      {
        op: 'headMatmul',
        name: `expands one latent for all heads by stride 0, ${sizes}`,
        async record(lab) {
          const w = await kvB(lab)
          const x = view(rows(lab, T, C), 0, [T, H, C], [C, 0, 1])
          lab.k.headMatmul(lab.output('y', 'f32', [T, H, V]), x, w, raise)
        },
      },
    ]
  }),
)

const KEYS = [
  { T: 1, H: 3, N: 256, C: 64 },
  { T: 21, H: 2, N: 512, C: 96 },
  { T: 521, H: 1, N: 256, C: 32 },
] as const

/** Keys from latents by a turned W_UK, whose factors may be rounded. */
const keys = RANDOM_BLOCK_TYPES.flatMap(dtype =>
  KEYS.map(
    ({ T, H, N, C }): ConformanceCase => ({
      op: 'headMatmul',
      name: `raises keys, strided, ${dtype} T ${T} H ${H} N ${N} C ${C}, bf16 factors`,
      async record(lab) {
        const w = await lab.weight(dtype, H * (C + 32), N)
        const x = view(lab.normals([T, C]), 0, [T, H, C], [C, 0, 1])
        const y = lab.output('y', 'f32', [T, H, N + 6], whole => lastOf(whole, 0, N))
        lab.k.headMatmul(y, x, w, { headRows: C + 32, firstRow: 32, rows: C, transposed: true, factors: 'bf16' })
      },
    }),
  ),
)

const EXPERTS = [
  { T: 1, K: 3, experts: 7, n: 33, cols: 256 },
  { T: 14, K: 2, experts: 5, n: 20, cols: 512 },
  { T: 0, K: 2, experts: 3, n: 4, cols: 256 },
] as const

const experts = RANDOM_BLOCK_TYPES.flatMap(dtype =>
  EXPERTS.flatMap(({ T, K, experts: E, n, cols }) =>
    [true, false].map(
      (gather): ConformanceCase => ({
        op: 'expertMatmul',
        name: `${T} x ${K} of ${E}, ${n} x ${cols} ${dtype}, ${gather ? 'gathers' : 'grouped'}`,
        async record(lab) {
          const w = await lab.experts(dtype, E, n, cols)
          const chosen = Array.from({ length: T }, () => lab.rng.shuffled([...Array(E).keys()]).slice(0, K)).flat()
          const plan = lab.output('plan', 'i32', [E + 1 + 2 * T * K])
          lab.k.groupByExpert(plan, lab.input('i32', [T, K], chosen), E)
          lab.k.expertMatmul(lab.output('y', 'f32', [T * K, n]), rows(lab, gather ? T : T * K, cols), w, plan, gather)
        },
      }),
    ),
  ),
)

const withOptions = (['q8_0', 'q4_k'] as readonly BlockType[]).flatMap((dtype): ConformanceCase[] =>
  [1, 11].flatMap((T): ConformanceCase[] => [
    {
      op: 'matmul',
      name: `${T} rows by ${dtype} with bias, residual and scale, strided`,
      async record(lab) {
        const w = await lab.weight(dtype, 45, 256)
        const part = (whole: Tensor) => lastOf(whole, 3, 45)
        const y = lab.inout('y', 'f32', [T, 50], lab.rng.normals(T * 50), part)
        const x = rows(lab, T, 320)
        const options = { bias: lab.normals([45], 5), residual: y, scale: 0.375 }
        lab.k.matmul(y, lastOf(x, 32, 256), w, options)
      },
    },
    {
      op: 'matmul',
      name: `${T} rows shared by products on ${dtype} and bf16, then overwritten and multiplied again`,
      async record(lab) {
        const [w, v] = [await lab.weight(dtype, 20, 256), await lab.weight('bf16', 256, 256)]
        const x = lab.inout('x', 'f32', [T, 256], eightBitRows(T, 256, lab.rng))
        const other = rows(lab, T, 256)
        lab.k.matmul(lab.output('first', 'f32', [T, 20]), x, w)
        lab.k.matmul(lab.output('bf16', 'f32', [T, 256]), x, v)
        lab.k.matmul(lab.output('again', 'f32', [T, 20]), x, w)
        lab.k.copy(x, other)
        lab.k.matmul(lab.output('after a copy', 'f32', [T, 20]), x, w)
        lab.k.matmul(lab.output('first row', 'f32', [1, 20]), rowsOf(x, T - 1, 1), w)
        lab.k.matmul(lab.output('whole', 'f32', [T, 20]), x, w)
      },
    },
    {
      op: 'matmul',
      name: `${T} rows by ${dtype}, overwritten by another product and multiplied again`,
      async record(lab) {
        const w = await lab.weight(dtype, 20, 256)
        // Copies rows, so that 8 bits hold the result as well.
        const identity = Float32Array.from({ length: 256 * 256 }, (_, i) => (i % 257 === 0 ? 1 : 0))
        const copying = await lab.weight('f32', 256, 256, { data: identity })
        const x = lab.inout('x', 'f32', [T, 256], eightBitRows(T, 256, lab.rng))
        lab.k.matmul(lab.output('first', 'f32', [T, 20]), x, w)
        lab.k.matmul(x, rows(lab, T, 256), copying)
        lab.k.matmul(lab.output('again', 'f32', [T, 20]), x, w)
      },
    },
  ]),
)

export const blockCases: readonly ConformanceCase[] = [
  ...embeddings,
  ...matmuls,
  ...withOptions,
  ...heads,
  ...keys,
  ...experts,
]
