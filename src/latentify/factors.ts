/** A layer's grouped attention as latent attention. */
import { type Attention, groupOf } from './attention.ts'
import {
  addScaled,
  at,
  blocks,
  type Complex,
  type Dense,
  dot,
  identity,
  product,
  rowOf,
  rowsOf,
  sandwich,
  stacked,
  transposed,
  zeros,
} from './dense.ts'
import { eigenOf, rootOf } from './eigen.ts'
import type { HeadMoments, Moments } from './moments.ts'
import { rotatedKeys } from './rotated.ts'
import type { Slot } from './slots.ts'

/** Inputs end with a 1, so the last column of a matrix over them is a bias. Queries have the softmax scale. */
export interface LayerFactors {
  /** [C, D + 1] */
  readonly latent: Dense
  /** [R, D + 1], neighbours form a pair. */
  readonly ropeKey: Dense
  /** [H R, D + 1] */
  readonly ropeQuery: Dense
  /** [H d, D + 1] */
  readonly query: Dense
  /** [H d, C] */
  readonly keyUp: Dense
  readonly valueUp: Dense
  /** Share of the weighted energy of keys and values that the latent does not hold. */
  readonly loss: number
}

export interface FactorOptions {
  /** C */
  readonly rank: number
  /** How much more keys count in the latent than their effect says. */
  readonly balance: number
}

/** Fewer numbers than the original keeps: what is lost is least where it does least. */
export async function factorise(
  attention: Attention,
  moments: Moments,
  slots: readonly Slot[],
  { rank, balance }: FactorOptions,
): Promise<LayerFactors> {
  const { groups, width, keys, values, queries } = attention
  const n = groups * width
  const { directions, shares, rest } = await rotatedKeys(attention, moments, slots)
  const rotations = moments.heads.map(({ meanRotation }) => meanRotated(meanRotation))
  const keyRoot = await rootOf(keyMetricOf(attention, moments, rotations))
  const valueRoot = await rootOf(moments.valueMetric)
  const metric = blocks(scaled(keyRoot.root, balance), valueRoot.root)
  const inverse = blocks(scaled(keyRoot.inverse, 1 / balance), valueRoot.inverse)
  const left = blocks(rest, identity(n)) // [2 G d, 2 G d]
  const toMetric = product(metric, left)
  const { values: energies, vectors } = await eigenOf(sandwich(toMetric, moments.rows))
  const basis = zeros(rank, 2 * n)
  for (let r = 0; r < rank; r++) {
    for (let i = 0; i < 2 * n; i++) basis.values[r * 2 * n + i] = vectors[i * 2 * n + r] as number
  }
  const latent = product(product(basis, toMetric), stacked([keys, values])) // [C, D + 1]
  const size = meanLength(latent) || 1
  const back = scaled(product(inverse, transposed(basis)), size) // [2 G d, C]
  const perHead = (of: (h: number, first: number) => Dense) =>
    stacked(moments.heads.map((_, h) => of(h, groupOf(h, attention) * width)))
  const energy = (from: Float64Array) => from.reduce((sum, e) => sum + Math.max(e, 0), 0)
  const all = energy(energies)
  return {
    latent: scaled(latent, 1 / size),
    ropeKey: ropeKeyOf(attention, directions),
    ropeQuery: ropeQueryOf(attention, shares),
    query: queries,
    keyUp: perHead((h, first) => product(rotations[h] as Dense, rowsOf(back, first, width))),
    valueUp: perHead((_, first) => rowsOf(back, n + first, width)),
    loss: all > 0 ? 1 - energy(energies.subarray(0, rank)) / all : 0,
  }
}

/** What errors of keys without rotation do: [G d, G d]. */
function keyMetricOf(attention: Attention, { heads }: Moments, rotations: readonly Dense[]): Dense {
  const { groups, width } = attention
  const metric = zeros(groups * width, groups * width)
  for (const [h, { queries, effect }] of heads.entries()) {
    const own = sandwich(transposed(rotations[h] as Dense), queries)
    const first = groupOf(h, attention) * width
    for (let i = 0; i < width; i++) {
      addScaled(rowOf(metric, first + i).subarray(first, first + width), effect, rowOf(own, i))
    }
  }
  return metric
}

/** Of a head's keys in halves, times the mean rotations: [d, d]. */
function meanRotated(rotations: HeadMoments['meanRotation']): Dense {
  const half = rotations.length
  const matrix = zeros(2 * half, 2 * half)
  for (const [f, [re, im]] of rotations.entries()) {
    rowOf(matrix, f)[f] = re
    rowOf(matrix, f)[half + f] = -im
    rowOf(matrix, half + f)[f] = im
    rowOf(matrix, half + f)[half + f] = re
  }
  return matrix
}

/**
 * All rotated pairs of all groups keep their rotation, and the latent is the values: the original in another form. `rank`: C, at least as many numbers as all values have; others
 * are 0.
 */
export function keptWhole(attention: Attention, rank: number): LayerFactors {
  const { heads, groups, width, inputs, keys, values, queries } = attention
  const half = width / 2
  const n = groups * width
  const ropeKey = zeros(n, inputs + 1)
  const ropeQuery = zeros(heads * n, inputs + 1)
  const valueUp = zeros(heads * width, rank)
  for (let g = 0; g < groups; g++) {
    for (let f = 0; f < half; f++) {
      const pair = g * width + 2 * f
      rowOf(ropeKey, pair).set(rowOf(keys, g * width + f))
      rowOf(ropeKey, pair + 1).set(rowOf(keys, g * width + half + f))
    }
  }
  for (let h = 0; h < heads; h++) {
    const g = groupOf(h, attention)
    for (let f = 0; f < half; f++) {
      const pair = h * n + g * width + 2 * f
      rowOf(ropeQuery, pair).set(rowOf(queries, h * width + f))
      rowOf(ropeQuery, pair + 1).set(rowOf(queries, h * width + half + f))
    }
    for (let i = 0; i < width; i++) rowOf(valueUp, h * width + i)[g * width + i] = 1
  }
  return {
    latent: rank === n ? values : stacked([values, zeros(rank - n, inputs + 1)]),
    ropeKey,
    ropeQuery,
    query: zeros(heads * width, inputs + 1),
    keyUp: zeros(heads * width, rank),
    valueUp,
    loss: 0,
  }
}

/** Frequencies of `keptWhole`: the original's, once for each group. */
export function wholeFrequencies({ frequencies, groups }: Pick<Attention, 'frequencies' | 'groups'>): Float64Array {
  return Float64Array.from(
    { length: groups * frequencies.length },
    (_, i) => frequencies[i % frequencies.length] as number,
  )
}

/** r = sum conj(z) k: real and imaginary part as neighbours. */
function ropeKeyOf({ keys, width, groups }: Attention, z: Complex): Dense {
  const half = width / 2
  const rows = zeros(2 * z.re.rows, keys.cols)
  for (let i = 0; i < z.re.rows; i++) {
    const [re, im] = [rowOf(rows, 2 * i), rowOf(rows, 2 * i + 1)]
    for (let a = 0; a < groups * half; a++) {
      const [zr, zi] = [at(z.re, i, a), at(z.im, i, a)]
      if (zr === 0 && zi === 0) continue
      const real = Math.floor(a / half) * width + (a % half)
      const [kr, ki] = [rowOf(keys, real), rowOf(keys, real + half)]
      addScaled(re, zr, kr)
      addScaled(re, zi, ki)
      addScaled(im, zr, ki)
      addScaled(im, -zi, kr)
    }
  }
  return rows
}

/** sum_f conj(share) q_f of every slot, the shares those of the head's group. */
function ropeQueryOf(attention: Attention, shares: Complex): Dense {
  const { queries, heads, width } = attention
  const half = width / 2
  const n = shares.re.rows
  const rows = zeros(heads * 2 * n, queries.cols)
  for (let h = 0; h < heads; h++) {
    const first = groupOf(h, attention) * half
    for (let i = 0; i < n; i++) {
      const [re, im] = [rowOf(rows, 2 * (h * n + i)), rowOf(rows, 2 * (h * n + i) + 1)]
      for (let f = 0; f < half; f++) {
        const [sr, si] = [at(shares.re, i, first + f), at(shares.im, i, first + f)]
        if (sr === 0 && si === 0) continue
        const [qr, qi] = [rowOf(queries, h * width + f), rowOf(queries, h * width + half + f)]
        addScaled(re, sr, qr)
        addScaled(re, si, qi)
        addScaled(im, sr, qi)
        addScaled(im, -si, qr)
      }
    }
  }
  return rows
}

function scaled({ rows, cols, values }: Dense, factor: number): Dense {
  return { rows, cols, values: values.map(x => x * factor) }
}

function meanLength(a: Dense): number {
  let sum = 0
  for (let i = 0; i < a.rows; i++) sum += Math.sqrt(dot(rowOf(a, i), rowOf(a, i)))
  return sum / a.rows
}
