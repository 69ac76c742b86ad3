import type { RouteOptions } from '../../../src/kernels/contract/operation-options.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'

interface Shape {
  readonly T: number
  readonly E: number
  readonly K: number
  readonly scoring: 'softmax' | 'sigmoid'
  readonly groups?: number
  readonly topkGroups?: number
  readonly normalise?: boolean
  readonly bias?: boolean
  readonly zeroLosers?: boolean
  readonly scale?: number
}

const SHAPES: readonly Shape[] = [
  { T: 7, E: 9, K: 3, scoring: 'softmax' },
  { T: 1, E: 1, K: 1, scoring: 'softmax' },
  { T: 5, E: 12, K: 12, scoring: 'softmax', normalise: true },
  { T: 4, E: 64, K: 6, scoring: 'softmax', scale: 16 },
  { T: 9, E: 16, K: 4, scoring: 'softmax', groups: 4, topkGroups: 2 },
  { T: 3, E: 160, K: 6, scoring: 'softmax', groups: 8, topkGroups: 3, scale: 16 },
  { T: 6, E: 5, K: 2, scoring: 'sigmoid', groups: 5, topkGroups: 3, bias: true },
  { T: 8, E: 12, K: 4, scoring: 'sigmoid', groups: 3, topkGroups: 2, bias: true, normalise: true, scale: 2.5 },
  { T: 5, E: 256, K: 8, scoring: 'sigmoid', groups: 8, topkGroups: 4, bias: true, normalise: true, scale: 2.5 },
  { T: 40, E: 31, K: 3, scoring: 'sigmoid', bias: true, normalise: true, scale: 2.827 },
  { T: 5, E: 8, K: 2, scoring: 'sigmoid', groups: 2, topkGroups: 1 },
  { T: 9, E: 12, K: 4, scoring: 'sigmoid', groups: 4, topkGroups: 1, bias: true, zeroLosers: true },
  { T: 0, E: 8, K: 2, scoring: 'sigmoid' },
]

function options(
  lab: Lab,
  { E, scoring, groups = 1, topkGroups = 1, normalise = false, bias, zeroLosers, scale = 1 }: Shape,
) {
  return {
    scoring,
    groups,
    topkGroups,
    groupScore: scoring === 'sigmoid' ? 'top2' : 'max',
    normalise,
    scale,
    ...(zeroLosers && { zeroLosers }),
    ...(bias && { bias: lab.input('f32', [E], lab.rng.normals(E, 0.3)) }),
  } as RouteOptions
}

function record(lab: Lab, shape: Shape, logits: ArrayLike<number>, more: Partial<RouteOptions> = {}): void {
  const { T, E, K } = shape
  const indices = lab.output('indices', 'i32', [T, K])
  const weights = lab.output('weights', 'f32', [T, K])
  lab.k.route(indices, weights, lab.input('f32', [T, E], logits), { ...options(lab, shape), ...more })
}

const TIES: Shape = { T: 4, E: 8, K: 4, scoring: 'sigmoid', groups: 4, topkGroups: 2 }
const GREEDY: Shape = { T: 3, E: 6, K: 3, scoring: 'softmax' }
const inf = Number.POSITIVE_INFINITY

export const routeCases: readonly ConformanceCase[] = [
  ...SHAPES.map(
    (shape): ConformanceCase => ({
      op: 'route',
      name: `${shape.T} x ${shape.E} to ${shape.K}, ${shape.scoring}${shape.bias ? ' with bias' : ''}, ${shape.groups ?? 1} groups`,
      record: lab => record(lab, shape, lab.rng.normals(shape.T * shape.E)),
    }),
  ),
  ...(['max', 'top2'] as const).map(
    (groupScore): ConformanceCase => ({
      op: 'route',
      name: `ties by ${groupScore}: the lower expert and the lower group first`,
      record(lab) {
        const logits = [
          [0, 0, 0, 0, 0, 0, 0, 0],
          [1, 0, 0, 1, 2, 2, 2, 2],
          [3, 1, 1, 3, 1, 3, 3, 1],
          [0, 1, 1, 0, 2, -1, -1, 2],
        ]
        record(lab, TIES, logits.flat(), { groupScore })
      },
    }),
  ),
  {
    op: 'route',
    name: 'ties of a softmax',
    record: lab => record(lab, GREEDY, [1, 2, 2, 1, 2, 2, 0, 0, 0, 0, 0, 0, -5, 4, -5, 4, 4, -5]),
  },
  {
    op: 'route',
    name: 'negative choice scores: losing groups count less than any',
    record(lab) {
      const bias = lab.input('f32', [8], [-3, -3, -4, -4, -5, -5, -6, -6])
      record(lab, { ...TIES, T: 2, K: 3, topkGroups: 1 }, lab.rng.normals(16), { bias, normalise: true })
    },
  },
  {
    op: 'route',
    name: 'more experts than the groups that stay have',
    record: lab => record(lab, { ...TIES, K: 5, topkGroups: 1 }, lab.rng.normals(32)),
  },
  {
    op: 'route',
    name: 'NaN and infinite logits',
    record(lab) {
      const shape: Shape = { T: 3, E: 6, K: 3, scoring: 'sigmoid' }
      const nan = Number.NaN
      record(lab, shape, [1, nan, 3, 2, 0, 1.5, inf, -inf, 0, 1, 2, -1, nan, nan, nan, nan, nan, nan])
      lab.k.route(
        lab.output('indices', 'i32', [2, 3]),
        lab.output('softmax weights', 'f32', [2, 3]),
        lab.input('f32', [2, 6], [1, nan, 3, 2, 0, 1.5, -inf, 1, -inf, 0, -inf, 4]),
        options(lab, { ...shape, scoring: 'softmax' }),
      )
    },
  },
]
