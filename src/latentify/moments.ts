/** What of a layer's statistics the factors need. */
import { type Attention, groupOf } from './attention.ts'
import { addScaled, at, type Complex, complexZeros, type Dense, rowOf, rowsOf, symmetrised, zeros } from './dense.ts'
import type { LayerStatistics } from './statistics.ts'

export interface HeadMoments {
  /** E q qᵀ with the softmax scale, [d, d]. */
  readonly queries: Dense
  /** What an error of a score does to the layer's output. */
  readonly effect: number
  /** Of each frequency: the mean of e^(-j w n) over the distances n from which the head looks, [d / 2]. */
  readonly meanRotation: readonly (readonly [re: number, im: number])[]
}

export interface Moments {
  readonly heads: readonly HeadMoments[]
  /** E y yᵀ of keys and values by the attention they get: [n, n], n = 2 G d. */
  readonly rows: Dense
  /** What an error of a value does to the output: [G d, G d]. */
  readonly valueMetric: Dense
}

/** `scale`: of scores, which the queries of the statistics do not have. */
export function momentsOf(attention: Attention, statistics: LayerStatistics, scale: number): Moments {
  const { width, frequencies } = attention
  const { rows, distances, effect } = statistics
  const heads = Array.from(effect, (effect, h): HeadMoments => {
    const queries = zeros(width, width)
    addScaled(queries.values, scale ** 2, rowsOf(statistics.queries, h * width, width).values)
    const shares = rowOf(distances, h)
    return {
      queries: symmetrised(queries),
      effect,
      meanRotation: Array.from(frequencies, w => meanRotation(shares, w)),
    }
  })
  return { heads, rows, valueMetric: valueMetric(attention) }
}

function meanRotation(shares: Float64Array, w: number): readonly [number, number] {
  let [re, im] = [0, 0]
  for (const [n, share] of shares.entries()) {
    re += share * Math.cos(w * n)
    im -= share * Math.sin(w * n)
  }
  return [re, im]
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
function valueMetric(attention: Attention): Dense {
  const { heads, groups, width, out } = attention
  const n = groups * width
  const metric = zeros(n, n)
  for (let h = 0; h < heads; h++) {
    const first = groupOf(h, attention) * width
    for (let row = 0; row < out.rows; row++) {
      const part = rowOf(out, row).subarray(h * width, (h + 1) * width)
      for (let i = 0; i < width; i++) {
        const sums = metric.values.subarray((first + i) * n + first, (first + i) * n + first + width)
        addScaled(sums, part[i] as number, part)
      }
    }
  }
  return symmetrised(metric)
}
