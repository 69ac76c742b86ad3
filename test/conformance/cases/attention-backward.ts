import type { RowSlice } from '../../../src/kernels/contract/cached-rows.ts'
import { lastOf, rowsOf, type Tensor, view } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import type { Lab } from '../lab.ts'
import { putSequences } from '../pages.ts'
import { added } from './rows-backward.ts'

interface Spec {
  readonly name: string
  readonly heads: number
  /** Key heads. */
  readonly groups: number
  readonly width: number
  /** Of a second slice of the key, which all heads share. */
  readonly shared?: number
  readonly value: number
  readonly queries: number
  /** Keys before the first query's. Default 0. */
  readonly before?: number
  readonly keyStart?: number
  readonly window?: number
  /** Keys behind the last query's that are in the call. */
  readonly unseen?: number
  /** What the sequence counts beyond the rows of keys: the backward rule leaves it out. */
  readonly beyond?: number
}

const SPECS: readonly Spec[] = [
  { name: 'one query, one key', heads: 1, groups: 1, width: 1, value: 1, queries: 1 },
  { name: 'nothing', heads: 2, groups: 1, width: 4, value: 4, queries: 0 },
  { name: 'grouped heads', heads: 4, groups: 2, width: 16, value: 16, queries: 23 },
  { name: 'odd widths', heads: 3, groups: 1, width: 21, value: 13, queries: 37 },
  { name: 'several tiles', heads: 2, groups: 2, width: 32, value: 32, queries: 150 },
  { name: 'wide heads, several tiles', heads: 2, groups: 1, width: 72, value: 48, queries: 131 },
  { name: 'behind a prefix', heads: 2, groups: 2, width: 16, value: 16, queries: 20, before: 75 },
  { name: 'in a window', heads: 2, groups: 1, width: 8, value: 8, queries: 140, window: 50 },
  { name: 'in a window of one', heads: 1, groups: 1, width: 8, value: 8, queries: 9, window: 1 },
  {
    name: 'in a window behind a prefix',
    heads: 2,
    groups: 1,
    width: 8,
    value: 24,
    queries: 70,
    before: 33,
    window: 64,
  },
  { name: 'keys from the middle on', heads: 2, groups: 1, width: 8, value: 8, queries: 90, keyStart: 17 },
  { name: 'keys that nobody sees', heads: 2, groups: 1, width: 8, value: 8, queries: 40, unseen: 60 },
  { name: "MLA's two slices", heads: 3, groups: 3, width: 24, shared: 8, value: 20, queries: 100 },
]

const BEYOND: Spec = { name: 'more keys than rows', heads: 2, groups: 1, width: 8, value: 8, queries: 30, beyond: 3 }

function slicesOf(lab: Lab, rows: number, heads: number, width: number): RowSlice {
  const stride = width + 3
  const tensor = lab.normals([rows, heads * stride])
  return { rows: tensor, dtype: 'f32', offset: 8, heads, width, headStride: stride } as const
}

/** Queries, keys and values of a spec. A row of nobody lies before and behind the queries. */
function given(lab: Lab, spec: Spec) {
  const { heads: H, groups, width, shared = 0, value: V, queries, before = 0, keyStart = 0 } = spec
  const { unseen = 0, beyond = 0 } = spec
  const keyWidth = width + shared
  const S = Math.max(0, before + queries - keyStart) + unseen
  const T = queries + 2
  const keys = [slicesOf(lab, S, groups, width), ...(shared ? [slicesOf(lab, S, 1, shared)] : [])]
  const fields = { queryStart: 1, queryCount: queries, position: before, keyStart, keyCount: S + beyond, table: 0 }
  const args = {
    q: lastOf(lab.normals([T, H, keyWidth + 5]), 2, keyWidth),
    keys,
    values: slicesOf(lab, S, groups, V),
    sequences: putSequences(lab, [fields]),
    scale: keyWidth ** -0.5,
    ...(spec.window !== undefined && { window: spec.window }),
  }
  return { args, T, H, V, S, keyWidth, part: (whole: Tensor) => view(whole, 1, [T, H, V], [V + 3, T * (V + 3), 1]) }
}

function recordBackward(lab: Lab, spec: Spec): void {
  const { args, T, H, V, S, keyWidth, part } = given(lab, spec)
  const { beyond = 0 } = spec
  // Rows of nobody behind those that are written.
  const withRoom = (name: string, width: number) =>
    beyond === 0
      ? lab.output(name, 'f32', [S, H, width])
      : added(lab, name, [S + beyond, H, width], whole => rowsOf(whole, 0, S))
  lab.k.attentionBackward({
    ...args,
    out: part(lab.normals([H, T, V + 3])),
    // Of the size that keeps probabilities below 1 or so.
    lse: lab.input('f32', [T, H], lab.rng.normals(T * H, 0.5, 3)),
    dout: lastOf(lab.normals([T, H, V + 1]), 1, V),
    dq: added(lab, 'dq', [T, H, keyWidth + 2], whole => lastOf(whole, 1, keyWidth)),
    dkeys: withRoom('dkeys', keyWidth),
    dvalues: withRoom('dvalues', V),
  })
}

/** Rows of nobody are left as they are; `carry`: results over other keys are there already. */
function recordForward(lab: Lab, spec: Spec, carry: boolean): void {
  const { args, T, H, V, part } = given(lab, spec)
  lab.k.trainingAttention({
    ...args,
    out: added(lab, 'out', [H, T, V + 3], part),
    lse: added(lab, 'lse', [T, H]),
    ...(carry && { carry }),
  })
}

const sums = (
  [
    [1, 1, 1, 1],
    [5, 6, 2, 33],
    [3, 4, 4, 16],
    [60, 12, 3, 64],
    [0, 2, 1, 5],
  ] as const
).map(
  ([S, H, G, n]): ConformanceCase => ({
    op: 'sumHeads',
    name: `${S} x ${H} to ${G}, ${n} numbers, strided`,
    record(lab) {
      const y = added(lab, 'y', [S, G, n + 3], whole => lastOf(whole, 1, n))
      lab.k.sumHeads(y, lastOf(lab.normals([S, H, n + 2]), 2, n))
    },
  }),
)

export const attentionBackwardCases: readonly ConformanceCase[] = [
  ...SPECS.flatMap(spec => [
    { op: 'attentionBackward', name: spec.name, record: (lab: Lab) => recordBackward(lab, spec) },
    ...[false, true].map(carry => ({
      op: 'trainingAttention',
      name: `${spec.name}${carry ? ', carried on' : ''}`,
      record: (lab: Lab) => recordForward(lab, spec, carry),
    })),
  ]),
  { op: 'attentionBackward', name: BEYOND.name, record: (lab: Lab) => recordBackward(lab, BEYOND) },
  ...sums,
]
