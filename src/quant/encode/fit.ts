/**
 * Least squares for k-quants: for several ranges near the obvious one, round to codes, solve for the scale (and offset)
 * that fits these codes best, and keep the best of all. All weights count equally: without known activations this
 * minimises the expected error of a product.
 */
import { extreme } from './block.ts'

/** Ranges are tried in steps of a tenth of a code; then rounding and solving alternate, which never increases the error. */
const STEP = 0.1
const STEPS_AROUND = 9
const STEPS_ABOVE = 10
const ROUNDS = 2

/** value = scale q + offset */
export interface Fit {
  scale: number
  /** At most 0. */
  offset: number
  /** Squared error minus that of all zeros: negative if the fit is better than zeros. */
  error: number
}

/** q from -half to half - 1, no offset. The farthest element lies near code -half, so scale has the opposite sign. */
export function fitScale(x: Float32Array, from: number, count: number, half: number, fit: Fit): void {
  clear(fit, 0)
  const far = extreme(x, from, count)
  if (far === 0) return
  for (let step = -STEPS_AROUND; step <= STEPS_AROUND; step++) {
    solveScale(x, from, count, half, -(half + STEP * step) / far, fit)
  }
  for (let round = 0; round < ROUNDS && fit.scale !== 0; round++) {
    solveScale(x, from, count, half, 1 / fit.scale, fit)
  }
}

/** q from 0 to top, scale >= 0. */
export function fitScaleAndOffset(x: Float32Array, from: number, count: number, top: number, fit: Fit): void {
  let min = 0
  let max = x[from]!
  let sum = 0
  for (let i = from; i < from + count; i++) {
    const v = x[i]!
    if (v < min) min = v
    if (v > max) max = v
    sum += v
  }
  clear(fit, min)
  if (max <= min) return
  fit.error = Number.POSITIVE_INFINITY
  for (let step = -STEPS_ABOVE; step <= STEPS_ABOVE; step++) {
    solveBoth(x, from, count, top, sum, (top + STEP * step) / (max - min), min, fit)
  }
  for (let round = 0; round < ROUNDS; round++) {
    solveBoth(x, from, count, top, sum, 1 / fit.scale, fit.offset, fit)
  }
}

function clear(fit: Fit, offset: number): void {
  fit.scale = 0
  fit.offset = offset
  fit.error = 0
}

function solveScale(x: Float32Array, from: number, count: number, half: number, inverse: number, fit: Fit): void {
  const top = 2 * half - 1
  let xq = 0
  let qq = 0
  for (let i = from; i < from + count; i++) {
    const v = x[i]!
    const code = (v * inverse + half + 0.5) | 0
    const q = (code < 0 ? 0 : code > top ? top : code) - half
    xq += v * q
    qq += q * q
  }
  const error = qq > 0 ? -(xq * xq) / qq : 0
  if (error >= fit.error) return
  fit.scale = xq / qq
  fit.error = error
}

function solveBoth(
  x: Float32Array,
  from: number,
  count: number,
  top: number,
  sum: number,
  inverse: number,
  base: number,
  fit: Fit,
): void {
  let qSum = 0
  let xq = 0
  let qq = 0
  for (let i = from; i < from + count; i++) {
    const v = x[i]!
    const code = ((v - base) * inverse + 0.5) | 0
    const q = code < 0 ? 0 : code > top ? top : code
    qSum += q
    xq += v * q
    qq += q * q
  }
  const spread = count * qq - qSum * qSum
  if (spread <= 0) return
  let scale = (count * xq - sum * qSum) / spread
  let offset = (qq * sum - qSum * xq) / spread
  if (offset > 0) {
    offset = 0
    scale = xq / qq
  }
  const error = scale * (scale * qq - 2 * xq) + offset * (count * offset - 2 * sum + 2 * scale * qSum)
  if (!(error < fit.error) || scale <= 0) return
  fit.scale = scale
  fit.offset = offset
  fit.error = error
}
