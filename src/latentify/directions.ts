/** Which combination of keys each slot holds. */
import { type Attention, groupOf } from './attention.ts'
import { addScaled, at, type Complex, complexZeros, rowOf, zeros } from './dense.ts'
import { firstDirection } from './eigen.ts'
import { type HeadMoments, type KeyClass, keyCovariance, type Moments, queryEnergy } from './moments.ts'
import type { Slot } from './slots.ts'

/**
 * z of every slot, [slots, G d / 2] over groups and frequencies: r = sum conj(z) k, E |r|² = 1. Of all combinations of its keys the one that explains
 * most of how the scores turn: a key counts by its queries' size, by what errors of its head do, and by how far its phase stays with the
 * slot's over the distances that matter. The first key of a text does not take part: it is seen from anywhere, so little of it turns.
 */
export async function directionsOf(attention: Attention, moments: Moments, slots: readonly Slot[]): Promise<Complex> {
  const { groups, width, frequencies } = attention
  const half = width / 2
  const seen = moments.heads.map(head => head.classes.at(-1) as KeyClass)
  const sigma = keyCovariance(pooled(moments.heads, seen), attention)
  const energy = moments.heads.map(queryEnergy)
  const directions = complexZeros(slots.length, groups * half)
  for (const [i, { frequency: v, sources }] of slots.entries()) {
    const members = Array.from({ length: groups }, (_, g) => sources.map(f => ({ g, f, row: g * half + f }))).flat()
    const weights = members.map(({ g, f }) => {
      let sum = 0
      for (const [h, head] of moments.heads.entries()) {
        if (groupOf(h, attention) !== g) continue
        const { phases, share } = seen[h] as KeyClass
        const [re, im] = phases.covariance(frequencies[f] as number, v)
        const variance = Math.max(phases.covariance(v, v)[0], LEAST)
        sum += head.weight * share * ((energy[h] as Float64Array)[f] as number) * ((re ** 2 + im ** 2) / variance)
      }
      return Math.sqrt(Math.max(sum, 0))
    })
    const largest = Math.max(...weights)
    const factors = weights.map(w => (largest > 0 ? Math.max(w / largest, 1e-6) : 1))
    const m = members.length
    const weighted = complexZeros(m, m)
    for (const [a, { row }] of members.entries()) {
      for (const [b, { row: col }] of members.entries()) {
        const factor = (factors[a] as number) * (factors[b] as number)
        weighted.re.values[a * m + b] = factor * at(sigma.re, row, col)
        weighted.im.values[a * m + b] = factor * at(sigma.im, row, col)
      }
    }
    const u = await firstDirection(weighted)
    for (const [a, { row }] of members.entries()) {
      rowOf(directions.re, i)[row] = (factors[a] as number) * (u.re.values[a] as number)
      rowOf(directions.im, i)[row] = (factors[a] as number) * (u.im.values[a] as number)
    }
    scaleToOne(directions, i, sigma)
  }
  return directions
}

const LEAST = 1e-12

function pooled(heads: readonly HeadMoments[], classes: readonly KeyClass[]) {
  const n = (classes[0] as KeyClass).rows.rows
  const sums = zeros(n, n)
  for (const [h, { rows, share }] of classes.entries()) {
    addScaled(sums.values, share * (heads[h] as HeadMoments).mass, rows.values)
  }
  return sums
}

/** E |r|² = 1. */
function scaleToOne({ re, im }: Complex, slot: number, sigma: Complex): void {
  const [x, y] = [rowOf(re, slot), rowOf(im, slot)]
  const used = [...x.keys()].filter(a => x[a] !== 0 || y[a] !== 0)
  let energy = 0
  for (const a of used) {
    for (const b of used) {
      // Re conj(z_a) sigma_ab z_b
      const [sr, si] = [at(sigma.re, a, b), at(sigma.im, a, b)]
      const [zr, zi] = [x[b] as number, y[b] as number]
      energy += (x[a] as number) * (sr * zr - si * zi) + (y[a] as number) * (sr * zi + si * zr)
    }
  }
  const factor = energy > 0 ? energy ** -0.5 : 1
  for (const part of [x, y]) for (let a = 0; a < part.length; a++) part[a] = (part[a] as number) * factor
}
