import { OptionError } from '../errors.ts'
import { adjustLogits } from './adjust.ts'
import { SamplingError } from './errors.ts'
import { expNegative } from './exp.ts'
import type { TokenHistory } from './history.ts'
import { type ResolvedOptions, resolveOptions, type SamplingOptions } from './options.ts'
import { Rng, randomSeed } from './rng.ts'
import { isBefore, selectTop } from './select.ts'

export interface Distribution {
  /** The tokens that may be drawn, ascending. */
  readonly ids: Int32Array
  /** Their probabilities; the sum is 1. */
  readonly probabilities: Float64Array
}

/**
 * Draws tokens (`SamplingOptions` documents the order of options). Its only state is the generator; work arrays are reused
 * for rows of one length. Logits may be -Infinity (masked), but not NaN or +Infinity.
 */
export class Sampler {
  readonly options: SamplingOptions
  /** The seed in use: the option's or a random one. If a generator was given: the option, which may be absent. */
  readonly seed: number | bigint | undefined
  /** Save its `state` to continue with the same stream in a new sampler. */
  readonly rng: Rng
  readonly #options: ResolvedOptions
  #adjusted = new Float32Array(0)
  /** Weight by id; valid only for candidates. */
  #weights = new Float64Array(0)
  #ids = new Int32Array(0)

  constructor(options: SamplingOptions = {}, rng?: Rng) {
    this.#options = resolveOptions(options)
    this.options = options
    const seed = options.seed ?? randomSeed()
    this.seed = rng ? options.seed : seed
    this.rng = rng ?? Rng.seeded(seed)
  }

  /** Draws the next token's id. `history` is the input of penalties; the caller adds the token to it. */
  sample(logits: Float32Array, history?: TokenHistory): number {
    const adjusted = this.#adjust(logits, history)
    const best = argmax(adjusted)
    if (this.#options.temperature === 0) return best
    const count = this.#candidates(adjusted, best)
    return this.#draw(count)
  }

  /** The distribution that `sample` would draw from, for tests and display. Does not advance the generator. */
  distribution(logits: Float32Array, history?: TokenHistory): Distribution {
    const adjusted = this.#adjust(logits, history)
    const best = argmax(adjusted)
    if (this.#options.temperature === 0) return { ids: Int32Array.of(best), probabilities: Float64Array.of(1) }
    const ids = this.#ids.slice(0, this.#candidates(adjusted, best))
    const probabilities = Float64Array.from(ids, id => this.#weights[id]!)
    const total = probabilities.reduce((sum, weight) => sum + weight, 0)
    return { ids, probabilities: probabilities.map(weight => weight / total) }
  }

  #adjust(logits: Float32Array, history: TokenHistory | undefined): Float32Array {
    if (logits.length === 0) throw new OptionError('There are no logits; expected one per token of the vocabulary')
    if (this.#ids.length !== logits.length) {
      this.#adjusted = new Float32Array(logits.length)
      this.#weights = new Float64Array(logits.length)
      this.#ids = new Int32Array(logits.length)
    }
    return adjustLogits(logits, this.#options, history, this.#adjusted)
  }

  /**
   * Puts the candidates' ids, ascending, at the front of #ids, and their weights (relative to the most likely token's 1)
   * into #weights. Returns their number.
   */
  #candidates(logits: Float32Array, best: number): number {
    const { topK, topP, minP } = this.#options
    const all = this.#keepFrom(logits, topP < 1 ? Number.NEGATIVE_INFINITY : this.#minLogit(logits[best]!))
    const limited = topK > 0 && topK < all
    let count = limited ? selectTop(this.#ids, all, logits, topK) : all
    const total = this.#weigh(logits, best, count)
    if (topP < 1) count = this.#keepTopP(logits, count, total)
    if (limited || topP < 1) this.#restoreOrder(logits, count)
    return minP > 0 ? this.#keepWeight(count, minP) : count
  }

  /** Without topP, the weights of tokens that minP removes are not needed: skip logits a little below its threshold. */
  #minLogit(top: number): number {
    const { minP, temperature } = this.#options
    return minP > 0 ? top + temperature * (Math.log(minP) - 1e-6) : Number.NEGATIVE_INFINITY
  }

  #keepFrom(logits: Float32Array, least: number): number {
    let kept = 0
    for (let id = 0; id < logits.length; id++) if (logits[id]! >= least) this.#ids[kept++] = id
    return kept
  }

  /** Computes the candidates' weights; returns their sum. */
  #weigh(logits: Float32Array, best: number, count: number): number {
    const { temperature } = this.#options
    const top = logits[best]!
    let total = 0
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!
      const weight = expNegative((logits[id]! - top) / temperature)
      this.#weights[id] = weight
      total += weight
    }
    return total
  }

  /** First drops tokens so rare that all of them together have less mass than topP removes: fewer ids to order. */
  #keepTopP(logits: Float32Array, count: number, total: number): number {
    const { topP } = this.#options
    const left = this.#keepWeight(count, ((1 - topP) * total) / (2 * count))
    return selectTop(this.#ids, left, logits, topP * total, this.#weights)
  }

  #keepWeight(count: number, least: number): number {
    let kept = 0
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!
      if (this.#weights[id]! >= least) this.#ids[kept++] = id
    }
    return kept
  }

  /** Sorts the ids again after a selection. If many are left, scanning the row is faster than sorting. */
  #restoreOrder(logits: Float32Array, count: number): void {
    if (count < logits.length / 64) {
      this.#ids.subarray(0, count).sort()
      return
    }
    let last = this.#ids[0]!
    for (let i = 1; i < count; i++) if (isBefore(last, this.#ids[i]!, logits)) last = this.#ids[i]!
    let kept = 0
    for (let id = 0; id < logits.length; id++) if (!isBefore(last, id, logits)) this.#ids[kept++] = id
  }

  /** Inverse transform sampling in the order of ids: one token per random number, however candidates were selected. */
  #draw(count: number): number {
    let total = 0
    for (let i = 0; i < count; i++) total += this.#weights[this.#ids[i]!]!
    const target = this.rng.next() * total
    let sum = 0
    let last = this.#ids[0]!
    for (let i = 0; i < count; i++) {
      const id = this.#ids[i]!
      const weight = this.#weights[id]!
      if (weight === 0) continue
      sum += weight
      if (sum > target) return id
      last = id
    }
    return last
  }
}

/** The most likely token; ties: the lowest id. Throws SamplingError if a logit is NaN or +Infinity, or all are masked. */
export function argmax(logits: Float32Array): number {
  let best = -1
  let top = Number.NEGATIVE_INFINITY
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!
    if (logit > top) {
      top = logit
      best = id
    } else if (Number.isNaN(logit)) throw notANumber(id, logit)
  }
  if (top === Number.POSITIVE_INFINITY) throw notANumber(best, top)
  if (best < 0)
    throw new SamplingError('Every token is masked: all logits are -Infinity, so that there is none to draw')
  return best
}

function notANumber(id: number, logit: number): SamplingError {
  return new SamplingError(
    `The logit of token ${id} is ${logit}; expected a finite number or -Infinity: the model's numbers have overflowed`,
  )
}
