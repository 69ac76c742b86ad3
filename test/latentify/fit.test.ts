/** What keeps its rotation, and what the latent gives, against sums over every key and distance. */
import { describe, expect, it } from 'vitest'
import type { Attention } from '../../src/latentify/attention.ts'
import { at, type Dense, rowOf, zeros } from '../../src/latentify/dense.ts'
import { directionsOf } from '../../src/latentify/directions.ts'
import { fitHead, type HeadFit } from '../../src/latentify/fit.ts'
import { momentsOf } from '../../src/latentify/moments.ts'
import { foldedSlots, plainFrequencies } from '../../src/latentify/slots.ts'
import type { KeyStatistics } from '../../src/latentify/statistics.ts'
import { Rng } from '../support/rng.ts'

const [HEADS, GROUPS, WIDTH, INPUTS] = [4, 2, 8, 11]
const HALF = WIDTH / 2
const SIZE = GROUPS * WIDTH
const rng = new Rng('fit')

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

/** Two classes of keys: rows of keys and values, and how far away each head sees them. */
const classes = [
  { rows: random(3, 2 * SIZE), shares: (h: number) => Array.from({ length: 30 }, (_, n) => 1 + ((n * (h + 2)) % 5)) },
  {
    rows: random(50, 2 * SIZE),
    shares: (h: number) => Array.from({ length: 30 }, (_, n) => Math.exp((-n * (h + 1)) / 9)),
  },
]
const MASS = [0.7, 0.3]

function statisticsOf({ rows, shares }: (typeof classes)[number], mass: number): KeyStatistics {
  const squares = zeros(2 * SIZE, 2 * SIZE)
  for (let s = 0; s < rows.rows; s++) {
    for (let i = 0; i < 2 * SIZE; i++) {
      for (let j = 0; j < 2 * SIZE; j++) {
        squares.values[i * 2 * SIZE + j] = at(squares, i, j) + (at(rows, s, i) * at(rows, s, j)) / rows.rows
      }
    }
  }
  const distances = zeros(HEADS, 30)
  for (let h = 0; h < HEADS; h++) rowOf(distances, h).set(normalised(shares(h)))
  return { rows: squares, mass: new Float64Array(HEADS).fill(mass), distances }
}

function normalised(shares: readonly number[]): number[] {
  const sum = shares.reduce((a, b) => a + b)
  return shares.map(share => share / sum)
}

const queries = zeros(HEADS * WIDTH, WIDTH)
for (let i = 0; i < HEADS * WIDTH; i++) rowOf(queries, i)[i % WIDTH] = 1
const [first, others] = classes.map((keys, i) => statisticsOf(keys, MASS[i] as number)) as [
  KeyStatistics,
  KeyStatistics,
]
const effect = new Float64Array(HEADS).fill(1)
const moments = momentsOf(attention, { tokens: 1, queries, first, others, effect }, 1)
const slots = foldedSlots(attention.frequencies, plainFrequencies(4, 20))
const turns = Float64Array.from(slots, slot => slot.frequency)

type Number2 = readonly [re: number, im: number]
const times = ([a, b]: Number2, [c, d]: Number2): Number2 => [a * c - b * d, a * d + b * c]
const turn = (w: number, n: number): Number2 => [Math.cos(w * n), -Math.sin(w * n)]
const key = (row: Float64Array, g: number, f: number): Number2 => [
  row[g * WIDTH + f] as number,
  row[g * WIDTH + HALF + f] as number,
]

/** Mean squared error of the head's turned keys, and its products with all that could have explained it. */
async function judged(h: number, fit: HeadFit, features: Dense | null) {
  const g = Math.floor(h / 2)
  const z = await directionsOf(attention, moments, slots)
  const slotKey = (row: Float64Array, i: number): Number2 => {
    let sum: Number2 = [0, 0]
    for (let a = 0; a < GROUPS * HALF; a++) {
      const [re, im] = times([at(z.re, i, a), -at(z.im, i, a)], key(row, Math.floor(a / HALF), a % HALF))
      sum = [sum[0] + re, sum[1] + im]
    }
    return sum
  }
  let [error, energy, worst] = [0, 0, 0]
  for (let f = 0; f < HALF; f++) {
    const products = new Map<string, Number2>()
    for (const [c, { rows, shares }] of classes.entries()) {
      const distances = normalised(shares(h))
      for (let s = 0; s < rows.rows; s++) {
        const row = rowOf(rows, s)
        const still = features
          ? Array.from({ length: features.rows }, (_, i) =>
              rowOf(features, i).reduce((sum, x, j) => sum + x * (row[j] as number), 0),
            )
          : [...row.subarray(0, SIZE)]
        const given = [f, HALF + f].map(i =>
          rowOf(fit.keyUp, i).reduce((sum, x, j) => sum + x * (still[j] as number), 0),
        )
        for (const [n, share] of distances.entries()) {
          const weight = ((MASS[c] as number) * share) / rows.rows
          const target = times(turn(attention.frequencies[f] as number, n), key(row, g, f))
          const turned = slots.map((slot, i) => times(turn(slot.frequency, n), slotKey(row, i)))
          let [re, im] = [target[0] - (given[0] as number), target[1] - (given[1] as number)]
          for (const [i, feature] of turned.entries()) {
            const [x, y] = times([at(fit.shares.re, f, i), at(fit.shares.im, f, i)], feature)
            re -= x
            im -= y
          }
          error += weight * (re ** 2 + im ** 2)
          energy += weight * (target[0] ** 2 + target[1] ** 2)
          const explained: (readonly [string, Number2])[] = [
            ...turned.map((x, i) => [`slot ${i}`, x] as const),
            ...still.map((x, i) => [`feature ${i}`, [x, 0]] as const),
          ]
          for (const [name, [x, y]] of explained) {
            const [u, v] = times([re, im], [x, -y])
            const [p, q] = products.get(name) ?? [0, 0]
            products.set(name, [p + weight * u, q + weight * v])
          }
        }
      }
    }
    for (const [p, q] of products.values()) worst = Math.max(worst, Math.hypot(p, q))
  }
  return { error, energy, worst }
}

describe('fitHead', () => {
  it.each(['keys', 'a latent'])('leaves an error that neither slots nor %s explain', async what => {
    const features = what === 'keys' ? null : random(6, 2 * SIZE)
    const directions = await directionsOf(attention, moments, slots)
    for (const h of [0, 3]) {
      const fit = fitHead(attention, h, moments.heads[h]!, turns, directions, features)
      const { error, energy, worst } = await judged(h, fit, features)
      expect(error).toBeLessThan(0.95 * energy)
      // But for the ridge.
      expect(worst).toBeLessThan(1e-3 * energy)
    }
  })

  it('keeps all where every frequency has a slot of its own and the heads of keys are one', async () => {
    const one: Attention = { ...attention, groups: 1, heads: 2 }
    const of = ({ rows, mass, distances }: KeyStatistics): KeyStatistics => {
      const part = zeros(2 * WIDTH, 2 * WIDTH)
      for (let i = 0; i < 2 * WIDTH; i++) rowOf(part, i).set(rowOf(rows, i).subarray(0, 2 * WIDTH))
      return {
        rows: part,
        mass: mass.subarray(0, 2),
        distances: { ...distances, rows: 2, values: distances.values.subarray(0, 60) },
      }
    }
    const its = momentsOf(one, { tokens: 1, queries, first: of(first), others: of(others), effect }, 1)
    const all = foldedSlots(one.frequencies, one.frequencies)
    const directions = await directionsOf(one, its, all)
    const { shares, keyUp } = fitHead(one, 0, its.heads[0]!, one.frequencies, directions, null)
    expect(Math.max(...keyUp.values.map(Math.abs))).toBeLessThan(1e-2)
    for (let f = 0; f < HALF; f++) {
      for (let i = 0; i < HALF; i++) {
        // k_f = share r_f, r_f = conj(z) k_f
        const whole = times(
          [at(shares.re, f, i), at(shares.im, f, i)],
          [at(directions.re, i, f), -at(directions.im, i, f)],
        )
        expect(whole[0]).toBeCloseTo(f === i ? 1 : 0, 2)
        expect(whole[1]).toBeCloseTo(0, 2)
      }
    }
  })
})
