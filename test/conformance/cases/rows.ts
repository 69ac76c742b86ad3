import type { DType, FloatType } from '../../../src/tensor/dtype.ts'
import { lastOf, reshape, splitHeads, view } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import { SPECIALS } from './specials.ts'

const WEIGHTS: readonly { dtype: FloatType; scales?: readonly [number, number] }[] = [
  { dtype: 'f32' },
  { dtype: 'f16' },
  { dtype: 'bf16' },
  { dtype: 'e4m3' },
  { dtype: 'e4m3', scales: [3, 4] },
  { dtype: 'e4m3', scales: [128, 128] },
]

const EMBEDDINGS: readonly { rows: number; cols: number; ids: readonly number[]; scale?: number }[] = [
  { rows: 9, cols: 33, ids: [8, 0, 3, 3, 5] },
  { rows: 5, cols: 1, ids: [4, 0] },
  { rows: 2, cols: 300, ids: [1], scale: Math.sqrt(300) },
  { rows: 140, cols: 130, ids: [139, 127, 128] },
  { rows: 4, cols: 16, ids: [] },
]

const embeddings = WEIGHTS.flatMap(({ dtype, scales }) =>
  EMBEDDINGS.map(
    ({ rows, cols, ids, scale }): ConformanceCase => ({
      op: 'embed',
      name: `${ids.length} of ${rows} x ${cols} ${dtype}${scales ? ` by ${scales.join(' x ')}` : ''}`,
      async record(lab) {
        const w = await lab.weight(dtype, rows, cols, scales && { scales })
        const y = lab.output('y', 'f32', [ids.length, cols])
        lab.k.embed(y, w, lab.input('i32', [ids.length], ids), scale)
      },
    }),
  ),
)

const gathers = (
  [
    [1, 1, [0]],
    [7, 33, [6, 0, 6, 2]],
    [3, 300, [2]],
    [5, 8, []],
  ] as [number, number, number[]][]
).map(
  ([rows, cols, index]): ConformanceCase => ({
    op: 'gatherRows',
    name: `${index.length} of ${rows} x ${cols}`,
    record(lab) {
      const x = lab.normals([rows, cols])
      lab.k.gatherRows(lab.output('y', 'f32', [index.length, cols]), x, lab.input('i32', [index.length], index))
    },
  }),
)

const copies: ConformanceCase[] = [
  ...(['f32', 'f16', 'bf16', 'e4m3'] as const).map(
    (dtype): ConformanceCase => ({
      op: 'copy',
      name: `f32 of every size to ${dtype}`,
      record(lab) {
        const exponents = Array.from({ length: 700 }, (_, i) => (lab.rng.uniform() - 0.5) * 4 * 2 ** ((i % 280) - 150))
        const values = [...SPECIALS, ...exponents, ...borders(dtype)]
        lab.k.copy(lab.output('y', dtype, [1, values.length]), lab.input('f32', [1, values.length], values))
      },
    }),
  ),
  ...(['f16', 'bf16', 'e4m3'] as const).map(
    (dtype): ConformanceCase => ({
      op: 'copy',
      name: `every code of ${dtype} to f32`,
      record(lab) {
        const n = dtype === 'e4m3' ? 256 : 65536
        const codes = Array.from({ length: n }, (_, i) => i)
        lab.k.copy(lab.output('y', 'f32', [n / 32, 32]), lab.input(dtype, [n / 32, 32], codes))
      },
    }),
  ),
  {
    op: 'copy',
    name: 'a slice of every head into a slice of another row',
    record(lab) {
      const x = lastOf(splitHeads(lab.normals([3, 5 * 19]), 5), 7, 11)
      lab.k.copy(
        lab.output('y', 'f32', [3, 5, 20], whole => lastOf(whole, 2, 11)),
        x,
      )
    },
  },
  {
    op: 'copy',
    name: 'axes exchanged, to bf16',
    record(lab) {
      const x = view(lab.normals([4, 3, 9]), 0, [3, 4, 9], [9, 27, 1])
      lab.k.copy(lab.output('y', 'bf16', [3, 4, 9]), x)
    },
  },
  {
    op: 'copy',
    name: 'one row repeated by stride 0',
    record(lab) {
      lab.k.copy(lab.output('y', 'f32', [2, 6, 5]), view(lab.normals([2, 5]), 0, [2, 6, 5], [5, 0, 1]))
    },
  },
  {
    op: 'copy',
    name: 'one axis',
    record(lab) {
      lab.k.copy(lab.output('y', 'f32', [37]), lab.normals([37]))
    },
  },
  {
    op: 'copy',
    name: 'nothing',
    record(lab) {
      lab.k.copy(lab.output('y', 'f16', [0, 5]), lab.normals([0, 5]))
    },
  },
]

/** Halfway between neighbouring codes, and one f32 step to either side. */
function borders(dtype: DType): number[] {
  const step = { f16: 2 ** -11, bf16: 2 ** -8, e4m3: 2 ** -4 }[dtype as string] ?? 0
  const around = (x: number) => [x, x * (1 + 2 ** -23), x * (1 - 2 ** -23)]
  const ties = [1, 3, 5, 7].flatMap(odd => [1, 2 ** -3, 2 ** -7, 100].flatMap(unit => around(unit * (1 + odd * step))))
  const largest = [65504, 65520, 447, 448, 464, 480, 3.3895e38, 3.4e38].flatMap(around)
  return [...ties, ...largest, ...ties.map(x => -x)]
}

const sums: ConformanceCase[] = [
  {
    op: 'axpby',
    name: 'a x',
    record(lab) {
      lab.k.axpby(lab.output('y', 'f32', [3, 33]), -1.75, lab.normals([3, 33]))
    },
  },
  {
    op: 'axpby',
    name: 'a x + z',
    record(lab) {
      lab.k.axpby(lab.output('y', 'f32', [1, 300]), 0.3, lab.normals([1, 300]), undefined, lab.normals([1, 300]))
    },
  },
  {
    op: 'axpby',
    name: 'a x + b z, y is x',
    record(lab) {
      const y = lab.inout('y', 'f32', [4, 17], lab.rng.normals(68))
      lab.k.axpby(y, 0.3, y, 1.4, lab.normals([4, 17]))
    },
  },
  {
    op: 'axpby',
    name: 'a x + b z, y is z',
    record(lab) {
      const y = lab.inout('y', 'f32', [1, 1], lab.rng.normals(1))
      lab.k.axpby(y, 2, lab.normals([1, 1]), -3, y)
    },
  },
  {
    op: 'axpby',
    name: 'slices of heads and a repeated row',
    record(lab) {
      const x = lastOf(lab.normals([3, 4, 12]), 5, 7)
      const z = view(lab.normals([7]), 0, [3, 4, 7], [0, 0, 1])
      lab.k.axpby(
        lab.output('y', 'f32', [3, 4, 9], whole => lastOf(whole, 1, 7)),
        1.5,
        x,
        0.25,
        z,
      )
    },
  },
  {
    op: 'axpby',
    name: 'infinity and NaN',
    record(lab) {
      const n = SPECIALS.length
      const x = lab.input('f32', [n, 1], SPECIALS)
      const z = reshape(lab.input('f32', [n], [...SPECIALS].reverse()), [n, 1])
      lab.k.axpby(lab.output('y', 'f32', [n, 1]), 0, x, 1, z)
      lab.k.axpby(lab.output('negative', 'f32', [n, 1]), -1, x, 1, z)
    },
  },
  {
    op: 'axpby',
    name: 'nothing',
    record(lab) {
      lab.k.axpby(lab.output('y', 'f32', [0, 8]), 2, lab.normals([0, 8]))
    },
  },
]

export const rowCases: readonly ConformanceCase[] = [...embeddings, ...gathers, ...copies, ...sums]
