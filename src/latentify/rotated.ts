/**
 * What of the keys keeps its rotation. Notation: frequency f of group g is a complex number k = re + j im, and score = Re sum_f conj(q_f) k_f e^(-j w_f n) over the
 * distance n between query and key. A slot holds one complex combination r = sum conj(z) k of the keys whose frequencies are folded into it, and gives each
 * of them back as share r, rotated by the slot's frequency. What that leaves of the keys loses its rotation.
 */
import { type Attention, groupOf } from './attention.ts'
import { at, type Complex, complexZeros, type Dense, rowOf, zeros } from './dense.ts'
import { firstDirection } from './eigen.ts'
import { keyCovariance, type Moments, queryEnergy, realRow } from './moments.ts'
import type { Slot } from './slots.ts'

export interface Rotated {
  /** z of each slot, [slots, G d / 2] over groups and frequencies. */
  readonly directions: Complex
  /** Share of each key, of the same shape. */
  readonly shares: Complex
  /** [G d, G d], from keys in halves to what is left of them. */
  readonly rest: Dense
}

/**
 * Of all combinations of a slot's keys the one with the most energy, where a key counts by the size of its queries and by what an error of their scores does. Slots
 * take from what those before them have left, so that two that share a frequency hold different combinations.
 */
export async function rotatedKeys(attention: Attention, moments: Moments, slots: readonly Slot[]): Promise<Rotated> {
  const { groups, width } = attention
  const half = width / 2
  const n = groups * half
  const sizes = keySizes(attention, moments)
  const sigma = keyCovariance(moments.rows, attention)
  const left = complexZeros(n, n)
  for (let i = 0; i < n; i++) left.re.values[i * n + i] = 1
  const directions = complexZeros(slots.length, n)
  const shares = complexZeros(slots.length, n)
  for (const [i, { sources }] of slots.entries()) {
    const members = Array.from({ length: groups }, (_, g) => sources.map(f => g * half + f)).flat()
    const own = rowsOfComplex(left, members)
    const scales = members.map(row => sizes[row] as number)
    const u = await firstDirection(weighted(covariance(own, sigma), scales))
    // z^H = sum_m conj(u_m) size_m left_m
    const [zr, zi] = [rowOf(directions.re, i), rowOf(directions.im, i)]
    for (const [m, scale] of scales.entries()) {
      const [ur, ui] = [at(u.re, m, 0) * scale, at(u.im, m, 0) * scale]
      for (let a = 0; a < n; a++) {
        const [lr, li] = [at(own.re, m, a), at(own.im, m, a)]
        // conj(conj(u) left)
        zr[a] = (zr[a] as number) + ur * lr + ui * li
        zi[a] = (zi[a] as number) + ui * lr - ur * li
      }
    }
    for (const [m, row] of members.entries()) {
      const [sr, si] = [at(u.re, m, 0) / (scales[m] as number), at(u.im, m, 0) / (scales[m] as number)]
      shares.re.values[i * n + row] = sr
      shares.im.values[i * n + row] = si
      const [re, im] = [rowOf(left.re, row), rowOf(left.im, row)]
      for (let a = 0; a < n; a++) {
        // share conj(z)
        re[a] = (re[a] as number) - (sr * (zr[a] as number) + si * (zi[a] as number))
        im[a] = (im[a] as number) - (si * (zr[a] as number) - sr * (zi[a] as number))
      }
    }
  }
  return { directions, shares, rest: realForm(left, half) }
}

/** Of keys that hardly count, beside the largest. */
const LEAST = 1e-6

/** How much each key counts, over groups and frequencies: the root of its queries' energy times what errors of scores do. */
function keySizes(attention: Attention, { heads }: Moments): Float64Array {
  const { groups, width } = attention
  const half = width / 2
  const sizes = new Float64Array(groups * half)
  for (const [h, head] of heads.entries()) {
    const first = groupOf(h, attention) * half
    for (const [f, energy] of queryEnergy(head).entries()) {
      sizes[first + f] = (sizes[first + f] as number) + head.effect * energy
    }
  }
  const largest = Math.sqrt(sizes.reduce((most, size) => Math.max(most, size), 0))
  return sizes.map(size => (largest > 0 ? Math.max(Math.sqrt(size) / largest, LEAST) : 1))
}

function rowsOfComplex({ re, im }: Complex, rows: readonly number[]): Complex {
  const cut = complexZeros(rows.length, re.cols)
  for (const [i, row] of rows.entries()) {
    rowOf(cut.re, i).set(rowOf(re, row))
    rowOf(cut.im, i).set(rowOf(im, row))
  }
  return cut
}

/** a s aᴴ of a Hermitian s. */
function covariance(a: Complex, s: Complex): Complex {
  const [m, n] = [a.re.rows, a.re.cols]
  const product = complexZeros(m, n)
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < n; k++) {
      const [ar, ai] = [at(a.re, i, k), at(a.im, i, k)]
      if (ar === 0 && ai === 0) continue
      for (let j = 0; j < n; j++) {
        const [sr, si] = [at(s.re, k, j), at(s.im, k, j)]
        product.re.values[i * n + j] = at(product.re, i, j) + ar * sr - ai * si
        product.im.values[i * n + j] = at(product.im, i, j) + ar * si + ai * sr
      }
    }
  }
  const found = complexZeros(m, m)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      let [re, im] = [0, 0]
      for (let k = 0; k < n; k++) {
        const [pr, pi] = [at(product.re, i, k), at(product.im, i, k)]
        const [ar, ai] = [at(a.re, j, k), at(a.im, j, k)]
        re += pr * ar + pi * ai
        im += pi * ar - pr * ai
      }
      found.re.values[i * m + j] = re
      found.im.values[i * m + j] = im
    }
  }
  return found
}

function weighted({ re, im }: Complex, scales: readonly number[]): Complex {
  const scaled = (part: Dense): Dense => ({
    ...part,
    values: part.values.map(
      (x, i) => x * (scales[Math.floor(i / part.cols)] as number) * (scales[i % part.cols] as number),
    ),
  })
  return { re: scaled(re), im: scaled(im) }
}

/** A complex map of keys as one of their halves. */
function realForm({ re, im }: Complex, half: number): Dense {
  const n = re.rows
  const form = zeros(2 * n, 2 * n)
  for (let i = 0; i < n; i++) {
    const row = realRow(i, half)
    for (let j = 0; j < n; j++) {
      const col = realRow(j, half)
      const [x, y] = [at(re, i, j), at(im, i, j)]
      form.values[row * 2 * n + col] = x
      form.values[row * 2 * n + col + half] = -y
      form.values[(row + half) * 2 * n + col] = y
      form.values[(row + half) * 2 * n + col + half] = x
    }
  }
  return form
}
