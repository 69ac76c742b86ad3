import type { FloatType } from '../../../src/tensor/dtype.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'

interface Shape {
  readonly T: number
  readonly K: number
  readonly experts: number
  readonly rows: number
  readonly cols: number
  /** Experts that may be chosen. Default all. */
  readonly chosen?: readonly number[]
}

const SHAPES: readonly Shape[] = [
  { T: 1, K: 1, experts: 1, rows: 5, cols: 3 },
  { T: 1, K: 3, experts: 9, rows: 33, cols: 17 },
  { T: 7, K: 2, experts: 5, rows: 20, cols: 50 },
  { T: 12, K: 4, experts: 16, rows: 31, cols: 129, chosen: [0, 3, 7, 14] },
  { T: 30, K: 1, experts: 4, rows: 16, cols: 24, chosen: [2] },
  { T: 0, K: 2, experts: 3, rows: 4, cols: 5 },
]

/** K different experts for every token. */
function choose(lab: Lab, { T, K, experts, chosen = [...Array(experts).keys()] }: Shape): number[] {
  return Array.from({ length: T }, () => lab.rng.shuffled(chosen).slice(0, K)).flat()
}

const planLength = ({ T, K, experts }: Shape) => experts + 1 + 2 * T * K

function plan(lab: Lab, shape: Shape): Tensor {
  const made = lab.output('plan', 'i32', [planLength(shape)])
  lab.k.groupByExpert(made, lab.input('i32', [shape.T, shape.K], choose(lab, shape)), shape.experts)
  return made
}

const nameOf = ({ T, K, experts, rows, cols }: Shape) => `${T} x ${K} of ${experts} experts, ${rows} x ${cols}`

const products = (['f32', 'f16', 'bf16', 'e4m3'] as readonly FloatType[]).flatMap(dtype =>
  SHAPES.flatMap(shape =>
    [true, false].map(
      (gather): ConformanceCase => ({
        op: 'expertMatmul',
        name: `${nameOf(shape)} ${dtype}, ${gather ? 'gathers' : 'grouped'}`,
        async record(lab) {
          const { T, K, experts, rows, cols } = shape
          const w = await lab.experts(dtype, experts, rows, cols)
          const x = lab.normals([gather ? T : T * K, cols])
          lab.k.expertMatmul(lab.output('y', 'f32', [T * K, rows]), x, w, plan(lab, shape), gather)
        },
      }),
    ),
  ),
)

export const expertCases: readonly ConformanceCase[] = [
  ...SHAPES.map(
    (shape): ConformanceCase => ({ op: 'groupByExpert', name: nameOf(shape), record: lab => void plan(lab, shape) }),
  ),
  {
    op: 'groupByExpert',
    name: 'one expert for all, stable',
    record(lab) {
      const indices = lab.input('i32', [4, 2], [2, 1, 2, 1, 1, 2, 2, 1])
      lab.k.groupByExpert(lab.output('plan', 'i32', [4 + 16]), indices, 3)
    },
  },
  ...products,
  ...SHAPES.flatMap((shape): ConformanceCase[] => [
    {
      op: 'combineExperts',
      name: nameOf(shape),
      record(lab) {
        const { T, K, cols } = shape
        const y = lab.output('y', 'f32', [T, cols])
        const part = lab.normals([T * K, cols])
        lab.k.combineExperts(y, part, lab.normals([T, K]), plan(lab, shape), lab.normals([T, cols]))
      },
    },
    {
      op: 'combineExperts',
      name: `${nameOf(shape)}, onto the residual`,
      record(lab) {
        const { T, K, cols } = shape
        const y = lab.inout('y', 'f32', [T, cols], lab.rng.normals(T * cols))
        lab.k.combineExperts(y, lab.normals([T * K, cols]), lab.normals([T, K]), plan(lab, shape), y)
      },
    },
  ]),
]
