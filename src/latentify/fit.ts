/**
 * What a head makes of the rope key and of what does not turn. Notation: frequency f of a head is a complex number k = re + j im, and
 * score = Re sum_f conj(q_f) k_f e^(-j w_f n) over the distance n between query and key. Slot i holds r_i = sum conj(z_i) k and turns by its own frequency v_i.
 *
 * e^(-j w_f n) k_f ~ sum_i share_i e^(-j v_i n) r_i + up_f x by least squares over the keys that the head sees and the distances from which it sees them, taken as
 * independent within a class of keys. x is what does not turn: the keys themselves, or a latent that is made of keys and values.
 * So another frequency counts in a slot as much as its phase stays with the slot's, and the latent makes up for what it can of the rest.
 */
import { type Attention, groupOf } from './attention.ts'
import {
  addScaled,
  at,
  type Complex,
  complexZeros,
  type Dense,
  dot,
  product,
  productOfRows,
  rowOf,
  rowsOf,
  symmetrised,
  zeros,
} from './dense.ts'
import { cholesky, solveFactorised, solveHermitian } from './eigen.ts'
import { type HeadMoments, type KeyClass, realRow } from './moments.ts'

export interface HeadFit {
  /** [d / 2, slots] */
  readonly shares: Complex
  /** [d, features], in halves: from what does not turn to the head's keys. */
  readonly keyUp: Dense
  /** [d, features]: to its values. */
  readonly valueUp: Dense
}

/** Of a variance: keeps coefficients of slots that hardly turn, and of features that hardly vary, from running away. */
const RIDGE = 1e-4
const LEAST = 1e-7

/** `features`: [m, n] from keys and values; the keys where it is null. */
export function fitHead(
  attention: Attention,
  h: number,
  { classes }: HeadMoments,
  slots: Float64Array,
  directions: Complex,
  features: Dense | null,
): HeadFit {
  const { groups, width, frequencies } = attention
  const g = groupOf(h, attention)
  const half = width / 2
  const size = groups * width
  const S = slots.length
  const m = features ? features.rows : size
  const z = realForm(directions, groups, half) // [2 S, G d]
  const between = complexZeros(S, S)
  const right = complexZeros(S, half)
  /** Rows: real and imaginary parts of slots, of the head's keys, then its values; columns: features. */
  const cross = zeros(2 * S + 2 * half + width, m)
  const own = zeros(m, m)
  for (const { share, rows, phases } of classes) {
    if (share === 0) continue
    const keys = rowsOf(rows, 0, size)
    const of = (part: Dense) => (features ? productOfRows(part, features) : columns(part, size))
    const slotRows = product(z, keys) // [2 S, n]
    const slotFeatures = of(slotRows)
    const headFeatures = of(rowsOf(rows, g * width, width))
    addScaled(rowsOf(cross, 2 * S + width, width).values, share, of(rowsOf(rows, size + g * width, width)).values)
    addScaled(own.values, share, (features ? productOfRows(product(features, rows), features) : of(keys)).values)
    for (let i = 0; i < S; i++) {
      addTurned(cross, i, S + i, share, phases.of(slots[i] as number), slotFeatures, i, S + i)
    }
    for (let f = 0; f < half; f++) {
      addTurned(
        cross,
        2 * S + f,
        2 * S + half + f,
        share,
        phases.of(frequencies[f] as number),
        headFeatures,
        f,
        half + f,
      )
    }
    addSlots(between, right, { share, rows, phases }, slots, frequencies, z, slotRows, g)
  }
  for (let i = 0; i < m; i++) own.values[i * m + i] = at(own, i, i) * (1 + LEAST) + LEAST * meanDiagonal(own)
  const factor = cholesky(symmetrised(own))
  const solved = solveFactorised(factor, cross) // cross own^-1
  // What features already say of slots and keys is taken out of both.
  const [cr, ci] = [rowsOf(cross, 0, S), rowsOf(cross, S, S)]
  const matrix = complexZeros(S, S)
  const rest = complexZeros(S, half)
  for (let j = 0; j < S; j++) {
    const conjugate = (re: Float64Array, im: Float64Array): readonly [number, number] => [
      dot(re, rowOf(cr, j)) + dot(im, rowOf(ci, j)),
      dot(im, rowOf(cr, j)) - dot(re, rowOf(ci, j)),
    ]
    for (let i = 0; i < S; i++) {
      const [re, im] = conjugate(rowOf(solved, i), rowOf(solved, S + i))
      // The unknowns stand before the matrix; the solver has them behind it.
      matrix.re.values[j * S + i] = at(between.re, i, j) - re
      matrix.im.values[j * S + i] = at(between.im, i, j) - im
    }
    for (let f = 0; f < half; f++) {
      const [re, im] = conjugate(rowOf(solved, 2 * S + f), rowOf(solved, 2 * S + half + f))
      rest.re.values[j * half + f] = at(right.re, j, f) - re
      rest.im.values[j * half + f] = at(right.im, j, f) - im
    }
  }
  for (let i = 0; i < S; i++) {
    matrix.re.values[i * S + i] = Math.max(at(matrix.re, i, i), 0) * (1 + RIDGE) + LEAST * at(between.re, i, i) + 1e-30
    matrix.im.values[i * S + i] = 0
  }
  const found = solveHermitian(matrix, rest) // [S, d / 2]
  const shares = complexZeros(half, S)
  const keyUp = zeros(width, m)
  for (let f = 0; f < half; f++) {
    const [re, im] = [rowOf(keyUp, f), rowOf(keyUp, half + f)]
    re.set(rowOf(solved, 2 * S + f))
    im.set(rowOf(solved, 2 * S + half + f))
    for (let i = 0; i < S; i++) {
      const [sr, si] = [at(found.re, i, f), at(found.im, i, f)]
      shares.re.values[f * S + i] = sr
      shares.im.values[f * S + i] = si
      addScaled(re, -sr, rowOf(solved, i))
      addScaled(re, si, rowOf(solved, S + i))
      addScaled(im, -sr, rowOf(solved, S + i))
      addScaled(im, -si, rowOf(solved, i))
    }
  }
  return { shares, keyUp, valueUp: rowsOf(solved, 2 * S + width, width) }
}

/** Rows of r over keys in halves: real parts, then imaginary ones. r = sum conj(z) k. */
function realForm(z: Complex, groups: number, half: number): Dense {
  const S = z.re.rows
  const form = zeros(2 * S, 2 * groups * half)
  for (let i = 0; i < S; i++) {
    const [re, im] = [rowOf(form, i), rowOf(form, S + i)]
    for (let a = 0; a < groups * half; a++) {
      const [zr, zi] = [at(z.re, i, a), at(z.im, i, a)]
      const real = realRow(a, half)
      re[real] = zr
      re[real + half] = zi
      im[real] = -zi
      im[real + half] = zr
    }
  }
  return form
}

function columns(part: Dense, count: number): Dense {
  const cut = zeros(part.rows, count)
  for (let i = 0; i < part.rows; i++) rowOf(cut, i).set(rowOf(part, i).subarray(0, count))
  return cut
}

/** into[re, im] += share * phase * (from[a] + j from[b]) */
function addTurned(
  into: Dense,
  re: number,
  im: number,
  share: number,
  [pr, pi]: readonly [number, number],
  from: Dense,
  a: number,
  b: number,
): void {
  addScaled(rowOf(into, re), share * pr, rowOf(from, a))
  addScaled(rowOf(into, re), -share * pi, rowOf(from, b))
  addScaled(rowOf(into, im), share * pr, rowOf(from, b))
  addScaled(rowOf(into, im), share * pi, rowOf(from, a))
}

/** E of a slot's turned key and another's, or a head's, conjugated: `between` [S, S] and `right` [S, d / 2]. */
function addSlots(
  between: Complex,
  right: Complex,
  { share, phases }: KeyClass,
  slots: Float64Array,
  frequencies: Float64Array,
  z: Dense,
  slotRows: Dense,
  g: number,
): void {
  const S = slots.length
  const half = frequencies.length
  const size = z.cols
  const key = (row: number) => rowOf(slotRows, row).subarray(0, size)
  for (let j = 0; j < S; j++) {
    const [zr, zi] = [rowOf(z, j), rowOf(z, S + j)]
    for (let i = 0; i < S; i++) {
      // E r_i conj(r_j)
      const er = dot(key(i), zr) + dot(key(S + i), zi)
      const ei = dot(key(S + i), zr) - dot(key(i), zi)
      const [pr, pi] = phases.of((slots[i] as number) - (slots[j] as number))
      between.re.values[i * S + j] = at(between.re, i, j) + share * (pr * er - pi * ei)
      between.im.values[i * S + j] = at(between.im, i, j) + share * (pr * ei + pi * er)
    }
    for (let f = 0; f < half; f++) {
      const [a, b] = [g * 2 * half + f, g * 2 * half + half + f]
      // E k_f conj(r_j)
      const er = (key(j)[a] as number) + (key(S + j)[b] as number)
      const ei = (key(j)[b] as number) - (key(S + j)[a] as number)
      const [pr, pi] = phases.of((frequencies[f] as number) - (slots[j] as number))
      right.re.values[j * half + f] = at(right.re, j, f) + share * (pr * er - pi * ei)
      right.im.values[j * half + f] = at(right.im, j, f) + share * (pr * ei + pi * er)
    }
  }
}

function meanDiagonal(a: Dense): number {
  let sum = 0
  for (let i = 0; i < a.rows; i++) sum += at(a, i, i)
  return sum / a.rows + Number.MIN_VALUE
}
