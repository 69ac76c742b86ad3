/** The backward rules of norms, pointwise operations, rope and moved rows, and fill. */
import type { Activation } from '../../../src/kernels/contract/operation-options.ts'
import { lastOf, splitHeads, type Tensor, view } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'
import { SPECIALS } from './specials.ts'

/** An output that is added to: holds numbers before. */
export function added(lab: Lab, name: string, shape: readonly number[], part?: (whole: Tensor) => Tensor): Tensor {
  const n = shape.reduce((a, b) => a * b, 1)
  return lab.inout(name, 'f32', shape, lab.rng.normals(n), part)
}

const scatters = (
  [
    [1, 1, [0]],
    [7, 33, [6, 0, 6, 2, 6]],
    [3, 700, [2, 2]],
    [40, 130, Array.from({ length: 90 }, (_, i) => (i * 7) % 11)],
    [5, 8, []],
  ] as [number, number, number[]][]
).flatMap(([rows, cols, index]) =>
  [undefined, -0.75].map(
    (scale): ConformanceCase => ({
      op: 'scatterRows',
      name: `${index.length} to ${rows} x ${cols}${scale ? ', scaled' : ''}`,
      record(lab) {
        const y = added(lab, 'y', [rows, cols])
        lab.k.scatterRows(
          y,
          lab.normals([index.length, cols]),
          lab.input('i32', [index.length], index),
          ...(scale ? [scale] : []),
        )
      },
    }),
  ),
)

const SIZES = [
  [1, 1],
  [5, 33],
  [3, 2],
  [300, 70],
  [1, 300],
  [37, 64],
  [520, 17],
  [0, 8],
] as const

const sums = SIZES.flatMap(([T, cols]): ConformanceCase[] => [
  {
    op: 'sumRows',
    name: `${T} x ${cols}`,
    record: lab => lab.k.sumRows(added(lab, 'y', [cols]), lab.normals([T, cols]), 1),
  },
  {
    op: 'sumRows',
    name: `${T} x ${cols}, scaled and strided`,
    record: lab => lab.k.sumRows(added(lab, 'y', [cols]), lastOf(lab.normals([T, cols + 5]), 3, cols), 0.3),
  },
])

interface NormShape {
  readonly centred: boolean
  readonly x: Tensor
  readonly dx: Tensor
  readonly dy: Tensor
  readonly eps?: number
}

function normBackward(lab: Lab, { centred, x, dx, dy, eps = 1e-5 }: NormShape): void {
  const n = x.shape.at(-1)!
  const rows = x.shape.slice(0, -1).reduce((a, b) => a * b, 1)
  const stats = lab.output('stats', 'f32', [rows, 2])
  lab.k.normBackward(dx, stats, dy, x, lab.normals([n]), eps, centred)
  lab.k.normWeightBackward(added(lab, 'dweight', [n]), centred ? added(lab, 'dbias', [n]) : null, dy, x, stats)
}

const norms = [true, false].flatMap((centred): ConformanceCase[] => {
  const of = centred ? 'layerNorm' : 'rmsNorm'
  return [
    ...SIZES.map(
      ([rows, n]): ConformanceCase => ({
        op: 'normBackward',
        name: `${of}, ${rows} x ${n}`,
        // The deviation of one number is 0, and of two may be small.
        ...(centred && n < 3 && { tolerance: 'normBackward of few' }),
        record(lab) {
          const dx = added(lab, 'dx', [rows, n])
          normBackward(lab, { centred, x: lab.normals([rows, n], 2), dx, dy: lab.normals([rows, n]) })
        },
      }),
    ),
    {
      op: 'normBackward',
      name: `${of}, heads of a fused projection`,
      record(lab) {
        const heads = (whole: Tensor) => lastOf(splitHeads(whole, 3), 4, 9)
        const dx = added(lab, 'dx', [4, 3 * 15], heads)
        normBackward(lab, { centred, x: heads(lab.normals([4, 45])), dx, dy: lab.normals([4, 3, 9]) })
      },
    },
    {
      op: 'normBackward',
      name: `${of}, NaN stays in its row`,
      record(lab) {
        const x = lab.rng.normals(4 * 21)
        x[21 + 20] = Number.NaN
        const dy = lab.rng.normals(4 * 21)
        dy[63] = Number.NaN
        const dx = added(lab, 'dx', [4, 21])
        const stats = lab.output('stats', 'f32', [4, 2])
        lab.k.normBackward(
          dx,
          stats,
          lab.input('f32', [4, 21], dy),
          lab.input('f32', [4, 21], x),
          lab.normals([21]),
          1e-6,
          centred,
        )
      },
    },
  ]
})

const normWeights = SIZES.flatMap(([rows, n]) =>
  [true, false].map(
    (bias): ConformanceCase => ({
      op: 'normWeightBackward',
      name: `${rows} x ${n}${bias ? ' with bias' : ''}, strided`,
      record(lab) {
        const strided = () => lastOf(lab.normals([rows, n + 4]), 1, n)
        const dbias = bias ? added(lab, 'dbias', [n]) : null
        lab.k.normWeightBackward(added(lab, 'dweight', [n]), dbias, strided(), strided(), lab.normals([rows, 2]))
      },
    }),
  ),
)

const ACTIVATIONS: readonly Activation[] = [
  'silu',
  'gelu',
  'gelu_tanh',
  'quick_gelu',
  'relu',
  'relu2',
  'sigmoid',
  'tanh',
]

const activations = ACTIVATIONS.flatMap((activation): ConformanceCase[] => [
  ...(
    [
      [1, 1],
      [3, 57],
      [40, 128],
      [0, 4],
    ] as const
  ).map(
    ([rows, n]): ConformanceCase => ({
      op: 'activateBackward',
      name: `${activation} of ${rows} x ${n}`,
      record(lab) {
        const dx = added(lab, 'dx', [rows, n])
        lab.k.activateBackward(dx, lab.normals([rows, n]), lab.normals([rows, n], 4), activation)
      },
    }),
  ),
  {
    op: 'activateBackward',
    name: `${activation} of special numbers`,
    record(lab) {
      const shape = [SPECIALS.length, 1]
      const dx = lab.inout('dx', 'f32', shape, new Float32Array(SPECIALS.length))
      const dy = lab.input('f32', shape, new Float32Array(SPECIALS.length).fill(1))
      lab.k.activateBackward(dx, dy, lab.input('f32', shape, SPECIALS), activation)
    },
  },
  {
    op: 'activateBackward',
    name: `${activation} between -12 and 12`,
    record(lab) {
      const n = 2401
      const x = Float32Array.from({ length: n }, (_, i) => (i - 1200) / 100)
      const dx = lab.inout('dx', 'f32', [n, 1], new Float32Array(n))
      const dy = lab.input('f32', [n, 1], new Float32Array(n).fill(1))
      lab.k.activateBackward(dx, dy, lab.input('f32', [n, 1], x), activation)
    },
  },
  {
    op: 'activateBackward',
    name: `${activation}, strided`,
    record(lab) {
      const part = (whole: Tensor) => lastOf(whole, 4, 13)
      const dx = added(lab, 'dx', [5, 3, 20], part)
      lab.k.activateBackward(dx, part(lab.normals([5, 3, 20])), lab.normals([5, 3, 13], 3), activation)
    },
  },
  {
    op: 'gateBackward',
    name: `${activation}, halves of one projection`,
    record(lab) {
      const both = lab.normals([4, 2 * 37], 3)
      const dup = added(lab, 'dup', [4, 41], whole => lastOf(whole, 2, 37))
      lab.k.gateBackward(
        added(lab, 'dgates', [4, 37]),
        dup,
        lab.normals([4, 37]),
        lastOf(both, 0, 37),
        lastOf(both, 37, 37),
        activation,
      )
    },
  },
  ...([64, 0] as const).map(
    (rows): ConformanceCase => ({
      op: 'gateBackward',
      name: `${activation} of ${rows} x 129`,
      record(lab) {
        const shape = [rows, 129]
        lab.k.gateBackward(
          added(lab, 'dgates', shape),
          added(lab, 'dup', shape),
          lab.normals(shape),
          lab.normals(shape, 3),
          lab.normals(shape),
          activation,
        )
      },
    }),
  ),
  {
    op: 'gateBackward',
    name: `${activation}, written, not added`,
    record(lab) {
      const shape = [9, 35]
      const [dgates, dup] = [lab.output('dgates', 'f32', shape), lab.output('dup', 'f32', shape)]
      lab.k.gateBackward(dgates, dup, lab.normals(shape), lab.normals(shape, 3), lab.normals(shape), activation, false)
    },
  },
])

function angles(lab: Lab, T: number, r: number): Tensor {
  const values = Array.from({ length: T }, () => {
    const turns = Array.from({ length: r }, () => 2 * Math.PI * lab.rng.uniform())
    return [...turns.map(Math.cos), ...turns.map(Math.sin)]
  })
  return lab.input('f32', [T, 2 * r], values.flat())
}

const rotations = [true, false].flatMap((interleaved): ConformanceCase[] => {
  const pairs = interleaved ? 'neighbours' : 'halves'
  return [
    ...[
      { T: 5, H: 3, n: 8, r: 4 },
      { T: 1, H: 1, n: 2, r: 1 },
      { T: 3, H: 5, n: 66, r: 33 },
      { T: 4, H: 2, n: 13, r: 3 },
      { T: 20, H: 16, n: 100, r: 50 },
      { T: 0, H: 2, n: 6, r: 3 },
    ].map(
      ({ T, H, n, r }): ConformanceCase => ({
        op: 'ropeBackward',
        name: `${pairs}, ${2 * r} of ${n}, T ${T} H ${H}`,
        record: lab =>
          lab.k.ropeBackward(added(lab, 'dx', [T, H, n]), lab.normals([T, H, n]), angles(lab, T, r), interleaved),
      }),
    ),
    {
      op: 'ropeBackward',
      name: `${pairs}, the shared key in its row`,
      record(lab) {
        const dx = added(lab, 'dx', [7, 23], whole => view(whole, 15, [7, 1, 8], [23, 23, 1]))
        lab.k.ropeBackward(dx, lastOf(lab.normals([7, 1, 12]), 3, 8), angles(lab, 7, 3), interleaved)
      },
    },
  ]
})

const fills = [[1], [0], [7, 13], [3, 50_001]].map(
  (shape): ConformanceCase => ({
    op: 'fill',
    name: shape.join(' x '),
    record: lab => lab.k.fill(lab.output('y', 'f32', shape), -0.5),
  }),
)

export const rowBackwardCases: readonly ConformanceCase[] = [
  ...scatters,
  ...sums,
  ...norms,
  ...normWeights,
  ...activations,
  ...rotations,
  ...fills,
]
