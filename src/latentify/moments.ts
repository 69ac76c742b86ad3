/** What of a layer's statistics the factors need, computed once for every size that is tried. */
import { type Attention, groupOf } from './attention.ts'
import { addScaled, at, type Complex, complexZeros, type Dense, rowOf, rowsOf, symmetrised, zeros } from './dense.ts'
import { Phases } from './phases.ts'
import type { LayerStatistics } from './statistics.ts'

/** Keys that a head sees in one way. */
export interface KeyClass {
  /** Of the head's attention, by p²; those of a head sum to 1. */
  readonly share: number
  /** E y yᵀ of keys and values, [n, n], n = 2 G d. */
  readonly rows: Dense
  readonly phases: Phases
}

export interface HeadMoments {
  readonly classes: readonly KeyClass[]
  /** E q qᵀ with the softmax scale, [d, d]. */
  readonly queries: Dense
  /** How much of all attention is this head's, by p²; 1 on average. */
  readonly mass: number
  /** The same, times what an error of its scores does to the layer's output. */
  readonly weight: number
}

export interface Moments {
  readonly heads: readonly HeadMoments[]
  /** E y yᵀ over all heads, by p²: [n, n]. */
  readonly rows: Dense
  /** What an error of a value does to the output: [G d, G d]. */
  readonly valueMetric: Dense
}

/** `scale`: of scores, which the queries of the statistics do not have. */
export function momentsOf(attention: Attention, statistics: LayerStatistics, scale: number): Moments {
  const { heads: H, groups, width } = attention
  const n = 2 * groups * width
  const { first, others, effect } = statistics
  const masses = Array.from({ length: H }, (_, h) => (first.mass[h] as number) + (others.mass[h] as number))
  const total = masses.reduce((sum, mass) => sum + mass, 0)
  const pooled = zeros(n, n)
  const heads = masses.map((mass, h): HeadMoments => {
    const classes = [first, others].map((keys): KeyClass => {
      const rows = keys.rows.rows === n ? keys.rows : rowsOf(keys.rows, h * n, n)
      const share = mass > 0 ? (keys.mass[h] as number) / mass : 0
      if (total > 0) addScaled(pooled.values, (share * mass) / total, rows.values)
      return { share, rows, phases: new Phases(rowOf(keys.distances, h)) }
    })
    const queries = zeros(width, width)
    addScaled(queries.values, scale ** 2, rowsOf(statistics.queries, h * width, width).values)
    const part = total > 0 ? (mass * H) / total : 1
    return { classes, queries: symmetrised(queries), mass: part, weight: part * (effect[h] as number) }
  })
  return { heads, rows: symmetrised(pooled), valueMetric: valueMetric(attention, heads) }
}

/** E k conj(k') of keys among rows, over groups and frequencies: [G d / 2, G d / 2]. */
export function keyCovariance(rows: Dense, { groups, width }: Pick<Attention, 'groups' | 'width'>): Complex {
  const half = width / 2
  const n = groups * half
  const found = complexZeros(n, n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const [a, b] = [realRow(i, half), realRow(j, half)]
      found.re.values[i * n + j] = at(rows, a, b) + at(rows, a + half, b + half)
      found.im.values[i * n + j] = at(rows, a + half, b) - at(rows, a, b + half)
    }
  }
  return found
}

/** Among rows of keys in halves, that of the real part of pair `i`; its imaginary part is `half` further. */
export function realRow(i: number, half: number): number {
  return Math.floor(i / half) * 2 * half + (i % half)
}

/** E |q_f|² */
export function queryEnergy({ queries }: HeadMoments): Float64Array {
  const half = queries.rows / 2
  return Float64Array.from({ length: half }, (_, f) => at(queries, f, f) + at(queries, half + f, half + f))
}

/** Per group the sum of W_Oᵀ W_O over its heads. */
function valueMetric(attention: Attention, moments: readonly HeadMoments[]): Dense {
  const { heads, groups, width, out } = attention
  const n = groups * width
  const metric = zeros(n, n)
  for (let h = 0; h < heads; h++) {
    const first = groupOf(h, attention) * width
    const { mass } = moments[h] as HeadMoments
    for (let row = 0; row < out.rows; row++) {
      const part = rowOf(out, row).subarray(h * width, (h + 1) * width)
      for (let i = 0; i < width; i++) {
        const sums = metric.values.subarray((first + i) * n + first, (first + i) * n + first + width)
        addScaled(sums, mass * (part[i] as number), part)
      }
    }
  }
  return symmetrised(metric)
}
