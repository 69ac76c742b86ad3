/** Losses, the norm of gradients and the optimiser's step. */
import type { AdamWSettings, CrossEntropyOptions } from '../../../src/kernels/contract/operation-options.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'

function targets(lab: Lab, T: number, V: number): number[] {
  return Array.from({ length: T }, (_, t) => (t % 5 === 3 ? -100 : lab.rng.below(V)))
}

const OPTIONS: Readonly<Record<string, CrossEntropyOptions>> = {
  plain: { scale: 1 },
  'with all options': { scale: 0.125, smoothing: 0.1, zLoss: 1e-2 },
}

const losses = Object.entries(OPTIONS).flatMap(([kind, options]) => [
  ...(
    [
      [1, 1],
      [5, 33],
      [2, 7],
      [9, 300],
      [3, 5001],
      [0, 4],
    ] as const
  ).map(
    ([T, V]): ConformanceCase => ({
      op: 'crossEntropy',
      name: `${T} x ${V}, ${kind}`,
      record(lab) {
        const dlogits = lab.output('dlogits', 'f32', [T, V])
        const wanted = lab.input('i32', [T], targets(lab, T, V))
        lab.k.crossEntropy(lab.output('loss', 'f32', [T]), dlogits, lab.normals([T, V], 3), wanted, options)
      },
    }),
  ),
  {
    op: 'crossEntropy',
    name: `dlogits are logits, ${kind}`,
    record(lab: Lab) {
      const logits = lab.inout('dlogits', 'f32', [6, 100], lab.rng.normals(600, 2))
      const wanted = lab.input('i32', [6], targets(lab, 6, 100))
      lab.k.crossEntropy(lab.output('loss', 'f32', [6]), logits, logits, wanted, options)
    },
  },
])

const special: ConformanceCase = {
  op: 'crossEntropy',
  name: 'NaN, infinity and large logits stay in their row',
  record(lab) {
    const logits = lab.rng.normals(5 * 40)
    logits[40 + 39] = Number.NaN
    logits[80 + 3] = Number.NEGATIVE_INFINITY
    for (let i = 120; i < 160; i++) logits[i]! *= 300
    logits[162] = Number.POSITIVE_INFINITY
    const wanted = lab.input('i32', [5], [1, 2, 5, 4, 7])
    const dlogits = lab.output('dlogits', 'f32', [5, 40])
    lab.k.crossEntropy(lab.output('loss', 'f32', [5]), dlogits, lab.input('f32', [5, 40], logits), wanted, { scale: 1 })
  },
}

const divergences = [
  ...(
    [
      [1, 1],
      [5, 33],
      [2, 7],
      [3, 5001],
      [0, 4],
    ] as const
  ).map(
    ([T, V]): ConformanceCase => ({
      op: 'divergence',
      name: `${T} x ${V}`,
      record(lab) {
        const [logits, wanted] = [lab.normals([T, V], 3), lab.normals([T, V], 3)]
        lab.k.divergence(lab.output('loss', 'f32', [T]), lab.output('dlogits', 'f32', [T, V]), logits, wanted, 0.125)
      },
    }),
  ),
  {
    op: 'divergence',
    name: 'dlogits are logits, rows that are alike, large logits, NaN and a wanted -Infinity in theirs',
    record(lab: Lab) {
      const wanted = lab.rng.normals(5 * 40)
      const found = wanted.map((x, i) => (i < 40 ? x : x + 0.5 * Math.sin(i)))
      for (let i = 80; i < 120; i++) wanted[i]! *= 300
      found[125] = Number.NaN
      wanted[165] = Number.NEGATIVE_INFINITY
      const logits = lab.inout('dlogits', 'f32', [5, 40], found)
      lab.k.divergence(lab.output('loss', 'f32', [5]), logits, logits, lab.input('f32', [5, 40], wanted), 1)
    },
  },
] satisfies ConformanceCase[]

const errors = (
  [
    [1, 1],
    [3, 7],
    [5, 64],
    [2, 577],
    [0, 4],
  ] as const
).map(
  ([T, D]): ConformanceCase => ({
    op: 'relativeError',
    name: `${T} x ${D}${T > 1 ? ', the last wanted row is of zeros' : ''}`,
    record(lab) {
      const wanted = lab.rng.normals(T * D)
      if (T > 1) wanted.fill(0, (T - 1) * D)
      const dx = lab.inout('dx', 'f32', [T, D], lab.rng.normals(T * D))
      const loss = lab.output('loss', 'f32', [T])
      lab.k.relativeError(loss, dx, lab.normals([T, D]), lab.input('f32', [T, D], wanted), 0.5)
    },
  }),
)

const squares = (
  [[[0]], [[1]], [[3, 5]], [[1000, 65]], [[65536]], [[65537]], [[3, 300, 250]]] as (readonly [readonly number[]])[]
).map(
  ([shape]): ConformanceCase => ({
    op: 'sumSquares',
    name: `of ${shape.join(' x ')}`,
    record(lab) {
      const n = shape.reduce((a, b) => a * b, 1)
      lab.k.sumSquares(lab.output('y', 'f32', [Math.ceil(n / 65536)]), lab.normals(shape, 2))
    },
  }),
)

const SETTINGS: AdamWSettings = {
  rate: 0.01,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  decay: 0.1,
  correction1: 1 - 0.9 ** 3,
  correction2: 1 - 0.95 ** 3,
  gradientScale: 0.25,
}

const steps = ([[0], [1], [3, 7], [5, 64], [70000]] as const).flatMap(shape =>
  [SETTINGS, { ...SETTINGS, decay: 0, gradientScale: 1, correction1: 0.1, correction2: 0.05 }].map(
    (settings): ConformanceCase => ({
      op: 'adamW',
      name: `${shape.join(' x ')}${settings.decay ? '' : ', the first step, without decay'}`,
      record(lab) {
        const n = shape.reduce((a: number, b: number) => a * b, 1)
        const moments = (squares: boolean) =>
          lab.rng.normals(n, settings.decay ? 0.1 : 0).map(x => (squares ? x * x : x))
        lab.k.adamW(
          lab.inout('w', 'f32', shape, lab.rng.normals(n)),
          lab.inout('m', 'f32', shape, moments(false)),
          lab.inout('v', 'f32', shape, moments(true)),
          lab.normals(shape),
          settings,
        )
      },
    }),
  ),
)

const noGradient: ConformanceCase = {
  op: 'adamW',
  name: 'no gradient yet, and NaN stays in its place',
  record(lab) {
    const g = lab.rng.normals(40)
    g.fill(0, 0, 20)
    g[33] = Number.NaN
    lab.k.adamW(
      lab.inout('w', 'f32', [40], lab.rng.normals(40)),
      lab.inout('m', 'f32', [40], new Float32Array(40)),
      lab.inout('v', 'f32', [40], new Float32Array(40)),
      lab.input('f32', [40], g),
      SETTINGS,
    )
  },
}

export const trainingCases: readonly ConformanceCase[] = [
  ...[...losses, special, ...divergences, ...errors],
  ...[...squares, ...steps, noGradient],
]
