/** What attention of a layer does over many windows: where it looks, how far, and what an error of a score costs. */
import { type Attention, groupOf } from './attention.ts'
import { addScaled, type Dense, rowOf, zeros } from './dense.ts'
import type { LayerStatistics } from './statistics.ts'

/** Of one window. */
export interface SeenAttention {
  /** [T, G d] */
  readonly values: Float32Array
  /** [T, H d]: what the heads found. */
  readonly attended: Float32Array
  /** [H, T, T]: probabilities; what is not seen may hold anything. */
  readonly pattern: Float32Array
}

/** Effects are means over one window in so many, and there over one query in so many. */
const WINDOWS_EACH = 4
const QUERIES_EACH = 16

export class Scores {
  readonly #attention: Attention
  readonly #length: number
  readonly #window: number
  /** Per head W_Oᵀ W_O, [d, d]. */
  readonly #out: readonly Dense[]
  readonly #mass: Float64Array
  readonly #distances: Dense
  readonly #effect: Float64Array
  readonly #effectMass: Float64Array

  /** `length`: T, tokens of a window. `window`: keys that a query sees; null: all before it. */
  constructor(attention: Attention, length: number, window: number | null) {
    const { heads } = attention
    this.#attention = attention
    this.#length = length
    this.#window = window ?? length
    this.#out = Array.from({ length: heads }, (_, h) => outOf(attention, h))
    this.#mass = new Float64Array(heads)
    this.#distances = zeros(heads, length)
    this.#effect = new Float64Array(heads)
    this.#effectMass = new Float64Array(heads)
  }

  /** Of all heads and queries so far: the sum of p². */
  get mass(): number {
    return this.#mass.reduce((sum, mass) => sum + mass, 0)
  }

  /** The attention that each key of the window gets: sums of p² over queries and heads, [T]. */
  add(seen: SeenAttention, index: number): Float64Array {
    const T = this.#length
    const { heads } = this.#attention
    const weights = new Float64Array(T)
    for (let h = 0; h < heads; h++) {
      const distances = rowOf(this.#distances, h)
      let mass = 0
      for (let t = 0; t < T; t++) {
        const row = (h * T + t) * T
        for (let s = Math.max(0, t - this.#window + 1); s <= t; s++) {
          const p = seen.pattern[row + s] as number
          const square = p * p
          mass += square
          weights[s] = (weights[s] as number) + square
          distances[t - s] = (distances[t - s] as number) + square
        }
      }
      this.#mass[h] = (this.#mass[h] as number) + mass
      if (index % WINDOWS_EACH === 0) this.#addEffect(seen, h)
    }
    return weights
  }

  result(): Pick<LayerStatistics, 'distances' | 'effect'> {
    const distances = zeros(this.#distances.rows, this.#distances.cols)
    for (const [h, mass] of this.#mass.entries()) {
      if (mass > 0) addScaled(rowOf(distances, h), 1 / mass, rowOf(this.#distances, h))
    }
    const effect = this.#effect.map((e, h) => e / Math.max(this.#effectMass[h] as number, Number.MIN_VALUE))
    return { distances, effect }
  }

  /** |W_O (v_s - o_t)|², where an error of the score of (t, s) moves the output, weighted by p². */
  #addEffect({ values, attended, pattern }: SeenAttention, h: number): void {
    const T = this.#length
    const { heads, groups, width: d } = this.#attention
    const out = this.#out[h] as Dense
    const g = groupOf(h, this.#attention)
    const raised = new Float64Array(T * d)
    const own = new Float64Array(T)
    for (let s = 0; s < T; s++) {
      const v = values.subarray((s * groups + g) * d, (s * groups + g + 1) * d)
      own[s] = raise(out, v, raised.subarray(s * d, (s + 1) * d))
    }
    const query = new Float64Array(d)
    for (let t = QUERIES_EACH - 1; t < T; t += QUERIES_EACH) {
      const o = attended.subarray((t * heads + h) * d, (t * heads + h + 1) * d)
      const size = raise(out, o, query)
      for (let s = Math.max(0, t - this.#window + 1); s <= t; s++) {
        const p = pattern[(h * T + t) * T + s] as number
        const square = p * p
        let both = 0
        for (let i = 0; i < d; i++) both += (o[i] as number) * (raised[s * d + i] as number)
        this.#effect[h] = (this.#effect[h] as number) + square * Math.max((own[s] as number) - 2 * both + size, 0)
        this.#effectMass[h] = (this.#effectMass[h] as number) + square
      }
    }
  }
}

/** y = a x; returns xᵀ a x. */
function raise(a: Dense, x: Float32Array, y: Float64Array): number {
  let size = 0
  for (let i = 0; i < a.rows; i++) {
    const row = rowOf(a, i)
    let sum = 0
    for (let j = 0; j < a.cols; j++) sum += (row[j] as number) * (x[j] as number)
    y[i] = sum
    size += sum * (x[i] as number)
  }
  return size
}

function outOf({ out, width: d }: Attention, h: number): Dense {
  const square = zeros(d, d)
  for (let row = 0; row < out.rows; row++) {
    const part = rowOf(out, row).subarray(h * d, (h + 1) * d)
    for (let i = 0; i < d; i++) addScaled(rowOf(square, i), part[i] as number, part)
  }
  return square
}
