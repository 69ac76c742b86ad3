/** Roots and directions against their definitions. */
import { describe, expect, it } from 'vitest'
import { at, complexZeros, type Dense, identity, rowOf, zeros } from '../../src/latentify/dense.ts'
import { eigenOf, firstDirection, rootOf } from '../../src/latentify/eigen.ts'
import { Rng } from '../support/rng.ts'

const rng = new Rng('eigen')

function random(rows: number, cols: number): Dense {
  return { rows, cols, values: Float64Array.from(rng.normals(rows * cols, 1, 0)) }
}

type Number2 = readonly [re: number, im: number]
const times = ([a, b]: Number2, [c, d]: Number2): Number2 => [a * c - b * d, a * d + b * c]

describe('eigen', () => {
  it('roots and their inverses, directions', async () => {
    const x = random(6, 9)
    const square = zeros(6, 6)
    for (let i = 0; i < 6; i++)
      for (let j = 0; j < 6; j++) square.values[i * 6 + j] = rowOf(x, i).reduce((s, v, k) => s + v * at(x, j, k), 0)
    const { root, inverse } = await rootOf(square)
    for (let i = 0; i < 6; i++) {
      for (let j = 0; j < 6; j++) {
        let [twice, one] = [0, 0]
        for (let k = 0; k < 6; k++) {
          twice += at(root, i, k) * at(root, k, j)
          one += at(root, i, k) * at(inverse, k, j)
        }
        expect(twice).toBeCloseTo(at(square, i, j), 8)
        expect(one).toBeCloseTo(i === j ? 1 : 0, 8)
      }
    }
    expect((await rootOf(zeros(3, 3))).root.values).toEqual(identity(3).values)

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
    const { values } = await eigenOf(square)
    expect([...values]).toEqual([...values].sort((p, q) => q - p))
  })
})
