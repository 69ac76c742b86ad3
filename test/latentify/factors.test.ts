/** What keeps its rotation and what the latent holds, against what they are to give back. */
import { describe, expect, it } from 'vitest'
import type { Attention } from '../../src/latentify/attention.ts'
import { at, type Dense, product, rowOf, rowsOf, sandwich, zeros } from '../../src/latentify/dense.ts'
import { factorise } from '../../src/latentify/factors.ts'
import { momentsOf } from '../../src/latentify/moments.ts'
import { rotatedKeys } from '../../src/latentify/rotated.ts'
import { foldedSlots, plainFrequencies } from '../../src/latentify/slots.ts'
import { Rng } from '../support/rng.ts'

const [HEADS, GROUPS, WIDTH, INPUTS] = [4, 2, 8, 19]
const HALF = WIDTH / 2
const SIZE = GROUPS * WIDTH
const rng = new Rng('factors')

function random(rows: number, cols: number): Dense {
  return { rows, cols, values: Float64Array.from(rng.normals(rows * cols, 1, 0)) }
}

const attention: Attention = {
  heads: HEADS,
  groups: GROUPS,
  width: WIDTH,
  inputs: INPUTS,
  frequencies: plainFrequencies(WIDTH, 50),
  scale: 1,
  queries: random(HEADS * WIDTH, INPUTS + 1),
  keys: random(SIZE, INPUTS + 1),
  values: random(SIZE, INPUTS + 1),
  out: random(INPUTS, HEADS * WIDTH),
  outBias: null,
}
const squares = (n: number) => {
  const one = zeros(n, n)
  for (let i = 0; i < n; i++) rowOf(one, i)[i] = 1
  return sandwich(random(n, n), one)
}
const queries = zeros(HEADS * WIDTH, WIDTH)
for (let h = 0; h < HEADS; h++) rowsOf(queries, h * WIDTH, WIDTH).values.set(squares(WIDTH).values)
const distances = zeros(HEADS, 30)
for (let h = 0; h < HEADS; h++) {
  const shares = Array.from({ length: 30 }, (_, n) => Math.exp((-n * (h + 1)) / 9))
  const sum = shares.reduce((a, b) => a + b)
  rowOf(distances, h).set(shares.map(share => share / sum))
}
const effect = Float64Array.from({ length: HEADS }, (_, h) => 1 + h)
const moments = momentsOf(attention, { tokens: 1, queries, rows: squares(2 * SIZE), distances, effect }, 1)

describe('slots', () => {
  it.each([4, 16])('with what is left give every key back, with %s rotated numbers', async rope => {
    const slots = foldedSlots(attention.frequencies, plainFrequencies(rope, 20))
    const { directions, shares, rest } = await rotatedKeys(attention, moments, slots)
    const n = GROUPS * HALF
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const row = Math.floor(i / HALF) * WIDTH + (i % HALF)
        const col = Math.floor(j / HALF) * WIDTH + (j % HALF)
        let [re, im] = [at(rest, row, col), at(rest, row + HALF, col)]
        for (const [s] of slots.entries()) {
          const [sr, si] = [at(shares.re, s, i), at(shares.im, s, i)]
          const [zr, zi] = [at(directions.re, s, j), -at(directions.im, s, j)]
          re += sr * zr - si * zi
          im += sr * zi + si * zr
        }
        expect(re).toBeCloseTo(i === j ? 1 : 0, 9)
        expect(im).toBeCloseTo(0, 9)
        expect(at(rest, row + HALF, col + HALF)).toBe(at(rest, row, col))
        expect(at(rest, row, col + HALF)).toBeCloseTo(-at(rest, row + HALF, col), 15)
      }
    }
  })

  it('two that share a frequency hold all of two groups', async () => {
    const one = attention.frequencies[1] as number
    const slot = { frequency: one, sources: [1] }
    const { rest } = await rotatedKeys(attention, moments, [slot, slot])
    for (let i = 0; i < SIZE; i++) {
      const its = i % HALF === 1
      for (let j = 0; j < SIZE; j++) expect(at(rest, i, j)).toBeCloseTo(i === j && !its ? 1 : 0, 9)
    }
  })
})

describe('a latent', () => {
  const slots = foldedSlots(attention.frequencies, plainFrequencies(4, 20))

  it('as large as keys and values holds both, keys by their mean rotation', async () => {
    const { latent, keyUp, valueUp, loss } = await factorise(attention, moments, slots, { rank: 2 * SIZE, balance: 2 })
    const { rest } = await rotatedKeys(attention, moments, slots)
    const left = product(rest, attention.keys)
    const [keys, values] = [product(keyUp, latent), product(valueUp, latent)]
    expect(loss).toBeCloseTo(0, 6)
    for (let h = 0; h < HEADS; h++) {
      const first = Math.floor(h / 2) * WIDTH
      for (let x = 0; x <= INPUTS; x++) {
        for (let f = 0; f < HALF; f++) {
          let [re, im] = [0, 0]
          for (const [n, share] of rowOf(distances, h).entries()) {
            const angle = (attention.frequencies[f] as number) * n
            const [kr, ki] = [at(left, first + f, x), at(left, first + HALF + f, x)]
            re += share * (kr * Math.cos(angle) + ki * Math.sin(angle))
            im += share * (ki * Math.cos(angle) - kr * Math.sin(angle))
          }
          expect(at(keys, h * WIDTH + f, x)).toBeCloseTo(re, 6)
          expect(at(keys, h * WIDTH + HALF + f, x)).toBeCloseTo(im, 6)
        }
        for (let i = 0; i < WIDTH; i++) {
          expect(at(values, h * WIDTH + i, x)).toBeCloseTo(at(attention.values, first + i, x), 6)
        }
      }
    }
  })

  it('loses less as it grows, and holds keys better where they count more', async () => {
    const errors = async (rank: number, balance: number) => {
      const { latent, keyUp, valueUp, loss } = await factorise(attention, moments, slots, { rank, balance })
      const whole = await factorise(attention, moments, slots, { rank: 2 * SIZE, balance })
      const off = (a: Dense, b: Dense) => a.values.reduce((sum, x, i) => sum + (x - (b.values[i] as number)) ** 2, 0)
      return {
        loss,
        keys: off(product(keyUp, latent), product(whole.keyUp, whole.latent)),
        values: off(product(valueUp, latent), product(whole.valueUp, whole.latent)),
      }
    }
    const [small, large, forKeys] = [await errors(6, 1), await errors(14, 1), await errors(14, 100)]
    expect(large.loss).toBeLessThan(small.loss)
    expect(forKeys.keys).toBeLessThan(large.keys)
    expect(forKeys.values).toBeGreaterThan(large.values)
  })
})
