/** Roots, directions and solutions against their definitions. */
import { describe, expect, it } from 'vitest'
import { at, complexZeros, type Dense, rowOf, zeros } from '../../src/latentify/dense.ts'
import {
  cholesky,
  eigenOf,
  firstDirection,
  rootOf,
  solveFactorised,
  solveHermitian,
} from '../../src/latentify/eigen.ts'
import { Rng } from '../support/rng.ts'

const rng = new Rng('eigen')

function random(rows: number, cols: number): Dense {
  return { rows, cols, values: Float64Array.from(rng.normals(rows * cols, 1, 0)) }
}

type Number2 = readonly [re: number, im: number]
const times = ([a, b]: Number2, [c, d]: Number2): Number2 => [a * c - b * d, a * d + b * c]

describe('eigen', () => {
  it('roots and their inverses, directions, solutions', async () => {
    const x = random(6, 9)
    const square = zeros(6, 6)
    for (let i = 0; i < 6; i++)
      for (let j = 0; j < 6; j++) square.values[i * 6 + j] = rowOf(x, i).reduce((s, v, k) => s + v * at(x, j, k), 0)
    const root = await rootOf(square)
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < 6; j++) {
        let twice = 0
        for (let k = 0; k < 6; k++) twice += at(root, i, k) * at(root, k, j)
        expect(twice).toBeCloseTo(at(square, i, j), 8)
      }
    }
    expect((await rootOf(zeros(3, 3))).values).toEqual(new Float64Array(9))

    // h = sum of v vᴴ and a little more.
    const h = complexZeros(4, 4)
    const v = [random(4, 2), random(4, 2)]
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        for (const [k, factor] of [9, 1].entries()) {
          const [re, im] = times([at(v[k]!, i, 0), at(v[k]!, i, 1)], [at(v[k]!, j, 0), -at(v[k]!, j, 1)])
          h.re.values[i * 4 + j]! += factor * re
          h.im.values[i * 4 + j]! += factor * im
        }
        if (i === j) h.re.values[i * 4 + j]! += 0.5
      }
    }
    const u = await firstDirection(h)
    const gain = (z: readonly Number2[]) => {
      let sum = 0
      for (let i = 0; i < 4; i++)
        for (let j = 0; j < 4; j++) {
          const [re, im] = times([at(h.re, i, j), at(h.im, i, j)], z[j] as Number2)
          sum += (z[i] as Number2)[0] * re + (z[i] as Number2)[1] * im
        }
      return sum / z.reduce((n, [a, b]) => n + a * a + b * b, 0)
    }
    const best = gain(Array.from({ length: 4 }, (_, i) => [at(u.re, i, 0), at(u.im, i, 0)]))
    for (let tries = 0; tries < 200; tries++) {
      const other = random(4, 2)
      expect(gain(Array.from({ length: 4 }, (_, i) => [at(other, i, 0), at(other, i, 1)]))).toBeLessThanOrEqual(
        best + 1e-9,
      )
    }
    const b = { re: random(4, 3), im: random(4, 3) }
    const solved = solveHermitian(h, b)
    for (let i = 0; i < 4; i++) {
      for (let m = 0; m < 3; m++) {
        let [re, im] = [0, 0]
        for (let j = 0; j < 4; j++) {
          const [x, y] = times([at(h.re, i, j), at(h.im, i, j)], [at(solved.re, j, m), at(solved.im, j, m)])
          re += x
          im += y
        }
        expect(re).toBeCloseTo(at(b.re, i, m), 8)
        expect(im).toBeCloseTo(at(b.im, i, m), 8)
      }
    }
    const { values } = await eigenOf(square)
    expect([...values]).toEqual([...values].sort((p, q) => q - p))
  })
})

it('sums that rounding has made not quite positive definite still have factors', () => {
  // Of one huge direction, with the rounding of f32.
  const a = zeros(3, 3)
  const x = [1e4, 1, 0.01]
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) a.values[i * 3 + j] = Math.fround(x[i]! * x[j]!) - (i === j && i > 0 ? 1e-3 : 0)
  }
  const solved = solveFactorised(cholesky(a), { rows: 1, cols: 3, values: Float64Array.of(1e8, 1e4, 1e2) })
  expect(solved.values[0]).toBeCloseTo(1, 3)
  expect(() => cholesky({ rows: 1, cols: 1, values: Float64Array.of(Number.NaN) })).toThrow(RangeError)
})
