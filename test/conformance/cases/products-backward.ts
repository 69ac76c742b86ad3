/** The backward rules of products, of the experts' too, and of the choice of experts. */
import type { FloatType } from '../../../src/tensor/dtype.ts'
import { lastOf, type Tensor } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'
import { added } from './rows-backward.ts'

const SHAPES = [
  { T: 1, rows: 1, cols: 1 },
  { T: 1, rows: 33, cols: 57 },
  { T: 5, rows: 31, cols: 16 },
  { T: 7, rows: 300, cols: 90 },
  { T: 16, rows: 48, cols: 64 },
  { T: 37, rows: 67, cols: 45 },
  { T: 300, rows: 20, cols: 31 },
  { T: 200, rows: 100, cols: 400 },
  { T: 0, rows: 5, cols: 7 },
] as const

const TYPES: readonly FloatType[] = ['f32', 'bf16', 'f16', 'e4m3']

const matmuls = SHAPES.flatMap(({ T, rows, cols }) =>
  (T > 100 ? TYPES.slice(0, 2) : TYPES).map(
    (dtype): ConformanceCase => ({
      op: 'matmulBackward',
      name: `[${T}, ${rows}] by ${rows} x ${cols} ${dtype}`,
      async record(lab) {
        const w = await lab.weight(dtype, rows, cols)
        lab.k.matmulBackward(added(lab, 'dx', [T, cols]), lab.normals([T, rows]), w, 1)
      },
    }),
  ),
)

const weights = SHAPES.map(
  ({ T, rows, cols }): ConformanceCase => ({
    op: 'weightBackward',
    name: `${rows} x ${cols} of ${T} rows`,
    record: lab =>
      lab.k.weightBackward(added(lab, 'dw', [rows, cols]), lab.normals([T, rows]), lab.normals([T, cols]), 1),
  }),
)

const others: ConformanceCase[] = [
  {
    op: 'matmulBackward',
    name: 'strided rows, scaled',
    async record(lab) {
      const w = await lab.weight('f32', 37, 22)
      const dx = added(lab, 'dx', [20, 30], whole => lastOf(whole, 3, 22))
      lab.k.matmulBackward(dx, lastOf(lab.normals([20, 45]), 5, 37), w, -0.4)
    },
  },
  {
    op: 'matmulBackward',
    name: 'quantised weight',
    async record(lab) {
      const w = await lab.weight('q8_0', 64, 96)
      lab.k.matmulBackward(added(lab, 'dx', [9, 96]), lab.normals([9, 64]), w, 1)
    },
  },
  {
    op: 'matmulBackward',
    name: 'NaN stays in its row',
    async record(lab) {
      const dy = lab.rng.normals(6 * 35)
      dy[35 + 34] = Number.NaN
      const w = await lab.weight('f32', 35, 50)
      lab.k.matmulBackward(added(lab, 'dx', [6, 50]), lab.input('f32', [6, 35], dy), w, 1)
    },
  },
  {
    op: 'weightBackward',
    name: 'strided rows, scaled',
    record(lab) {
      const dy = lastOf(lab.normals([20, 45]), 5, 37)
      lab.k.weightBackward(added(lab, 'dw', [37, 22]), dy, lastOf(lab.normals([20, 30]), 3, 22), 2.5)
    },
  },
]

interface Shape {
  readonly T: number
  readonly K: number
  readonly experts: number
  readonly rows: number
  readonly cols: number
  /** Experts that may be chosen. Default all. */
  readonly chosen?: readonly number[]
}

export const EXPERTS: readonly Shape[] = [
  { T: 1, K: 1, experts: 1, rows: 5, cols: 3 },
  { T: 1, K: 3, experts: 9, rows: 33, cols: 17 },
  { T: 7, K: 2, experts: 5, rows: 20, cols: 50 },
  { T: 12, K: 4, experts: 16, rows: 31, cols: 129, chosen: [0, 3, 7, 14] },
  { T: 90, K: 1, experts: 4, rows: 70, cols: 40, chosen: [2] },
  { T: 0, K: 2, experts: 3, rows: 4, cols: 5 },
]

export const nameOf = ({ T, K, experts, rows, cols }: Shape) => `${T} x ${K} of ${experts} experts, ${rows} x ${cols}`

function chosenIndices(lab: Lab, { T, K, experts, chosen = [...Array(experts).keys()] }: Shape): number[] {
  return Array.from({ length: T }, () => lab.rng.shuffled(chosen).slice(0, K)).flat()
}

export function expertPlan(lab: Lab, shape: Shape): Tensor {
  const { T, K, experts } = shape
  const made = lab.output('plan', 'i32', [experts + 1 + 2 * T * K])
  lab.k.groupByExpert(made, lab.input('i32', [T, K], chosenIndices(lab, shape)), experts)
  return made
}

const experts = EXPERTS.flatMap((shape): ConformanceCase[] => {
  const { T, K, rows, cols, experts } = shape
  return [
    ...(['f32', 'bf16'] as const).map(
      (dtype): ConformanceCase => ({
        op: 'expertMatmulBackward',
        name: `${nameOf(shape)} ${dtype}`,
        async record(lab) {
          const w = await lab.experts(dtype, experts, rows, cols)
          const dx = added(lab, 'dx', [T * K, cols])
          lab.k.expertMatmulBackward(dx, lab.normals([T * K, rows]), w, expertPlan(lab, shape))
        },
      }),
    ),
    ...[true, false].map(
      (gather): ConformanceCase => ({
        op: 'expertWeightBackward',
        name: `${nameOf(shape)}, ${gather ? 'gathers' : 'grouped'}`,
        record(lab) {
          const x = lab.normals([gather ? T : T * K, cols])
          const dw = added(lab, 'dw', [experts, rows, cols])
          lab.k.expertWeightBackward(dw, lab.normals([T * K, rows]), x, expertPlan(lab, shape), gather)
        },
      }),
    ),
    {
      op: 'combineExpertsBackward',
      name: nameOf(shape),
      record(lab) {
        lab.k.combineExpertsBackward(
          added(lab, 'dpart', [T * K, cols]),
          added(lab, 'dweights', [T, K]),
          lab.normals([T, cols]),
          lab.normals([T * K, cols]),
          lab.normals([T, K]),
          expertPlan(lab, shape),
        )
      },
    },
  ]
})

const routes = [
  { T: 1, E: 1, K: 1, scale: 1 },
  { T: 7, E: 9, K: 3, scale: 1 },
  { T: 5, E: 64, K: 6, scale: 16 },
  { T: 40, E: 31, K: 4, scale: 2.5 },
  { T: 0, E: 8, K: 2, scale: 1 },
].flatMap(({ T, E, K, scale }) =>
  (['softmax', 'sigmoid'] as const).flatMap(scoring =>
    [true, false].map(
      (normalise): ConformanceCase => ({
        op: 'routeBackward',
        name: `${T} x ${E} to ${K}, ${scoring}${normalise ? ', normalised' : ''}`,
        record(lab) {
          const all = [...Array(E).keys()]
          const indices = Array.from({ length: T }, () => lab.rng.shuffled(all).slice(0, K)).flat()
          lab.k.routeBackward(
            added(lab, 'dlogits', [T, E]),
            lab.normals([T, K]),
            lab.normals([T, E]),
            lab.input('i32', [T, K], indices),
            { scoring, groups: 1, topkGroups: 1, groupScore: 'max', normalise, scale },
          )
        },
      }),
    ),
  ),
)

export const productBackwardCases: readonly ConformanceCase[] = [
  ...matmuls,
  ...weights,
  ...others,
  ...experts,
  ...routes,
]
