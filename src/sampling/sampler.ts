import { OptionError } from '../errors.ts'
import { Candidates } from './candidates.ts'
import { SamplingError } from './errors.ts'
import { chooseFiltered, isFiltered, surpriseOf } from './filters.ts'
import { type MirostatOptions, type ResolvedOptions, resolveOptions, type SamplingOptions } from './options.ts'
import { adjustLogits, changesLogits, type TokenHistory } from './penalties.ts'
import { Rng, randomSeed } from './rng.ts'

export interface Distribution {
  /** The tokens that may be drawn, ascending. */
  readonly ids: Int32Array
  /** Their probabilities; the sum is 1. */
  readonly probabilities: Float64Array
}

/** What a text itself allows at its next place: a grammar, banned texts, a least length. */
export interface TokenRule {
  /** Sets the logits of tokens that it forbids to -Infinity, or lowers them. */
  apply(logits: Float32Array): void
  /** The token was drawn. */
  accept(id: number): void
}

const NO_RULES: readonly TokenRule[] = []

/**
 * Draws tokens (`SamplingOptions` documents the order of options). Its state is the generator, and mirostat's bound; work
 * arrays are reused for rows of one length. Logits may be -Infinity (masked), but not NaN or +Infinity.
 */
export class Sampler {
  readonly options: SamplingOptions
  /** The seed in use: the option's or a random one. If a generator was given: the option, which may be absent. */
  readonly seed: number | bigint | undefined
  /** Save its `state` to continue with the same stream in a new sampler. */
  readonly rng: Rng
  readonly #options: ResolvedOptions
  /** Some option changes logits. */
  readonly #adjusts: boolean
  /** Some option takes more than `Candidates.choose` does. */
  readonly #filters: boolean
  #mu: number
  readonly #candidates = new Candidates()
  #adjusted = new Float32Array(0)

  /** `rng` and `mu` continue another sampler's state. */
  constructor(options: SamplingOptions = {}, rng?: Rng, mu?: number) {
    this.#options = resolveOptions(options)
    this.#adjusts = changesLogits(this.#options)
    this.#filters = isFiltered(this.#options)
    this.#mu = mu ?? 2 * (this.#options.mirostat?.tau ?? 0)
    this.options = options
    const seed = options.seed ?? randomSeed()
    this.seed = rng ? options.seed : seed
    this.rng = rng ?? Rng.seeded(seed)
  }

  /** Mirostat's bound on the surprise of the next token, in bits; undefined without mirostat. */
  get mu(): number | undefined {
    return this.#options.mirostat ? this.#mu : undefined
  }

  /**
   * Draws the next token's id. `history` is the input of penalties; the caller adds the token to its answer. `rules` apply after the
   * penalties, in their order.
   */
  sample(logits: Float32Array, history?: TokenHistory, rules: readonly TokenRule[] = NO_RULES): number {
    const adjusted = this.#adjust(logits, history, rules)
    const best = argmax(adjusted)
    const { temperature, mirostat } = this.#options
    if (temperature === 0) return best
    const count = this.#choose(adjusted, best, this.rng)
    const id = this.#draw(count)
    if (mirostat) this.#learn(mirostat, count, id)
    return id
  }

  /** Whether what is drawn next depends on the logits of earlier tokens, not only on their ids. */
  get learns(): boolean {
    return this.#options.mirostat !== null && this.#options.temperature > 0
  }

  /** As if `sample` had returned `id`, which was drawn elsewhere. The logits of its place count only where the sampler `learns`. */
  follow(id: number, logits: Float32Array | null, history?: TokenHistory, rules = NO_RULES): void {
    const { temperature, mirostat, xtc } = this.#options
    if (temperature === 0) return
    this.rng.next()
    if (xtc) this.rng.next()
    if (!mirostat || !logits) return
    const adjusted = this.#adjust(logits, history, rules)
    // What is masked was drawn with other options; it teaches nothing.
    if (!(adjusted[id]! > Number.NEGATIVE_INFINITY)) return
    const count = this.#choose(adjusted, argmax(adjusted), this.rng)
    this.#learn(mirostat, count, id)
  }

  /** The distribution that `sample` would draw from, for tests and display. Does not advance the generator. */
  distribution(logits: Float32Array, history?: TokenHistory, rules = NO_RULES): Distribution {
    const adjusted = this.#adjust(logits, history, rules)
    const best = argmax(adjusted)
    if (this.#options.temperature === 0) return { ids: Int32Array.of(best), probabilities: Float64Array.of(1) }
    const count = this.#choose(adjusted, best, this.rng.clone())
    const ids = this.#candidates.ids.slice(0, count)
    const probabilities = Float64Array.from(ids, id => this.#candidates.weights[id]!)
    const total = probabilities.reduce((sum, weight) => sum + weight, 0)
    return { ids, probabilities: probabilities.map(weight => weight / total) }
  }

  #learn({ eta, tau }: Required<MirostatOptions>, count: number, id: number): void {
    this.#mu -= eta * (surpriseOf(this.#candidates, count, id) - tau)
  }

  #choose(logits: Float32Array, best: number, rng: Rng): number {
    if (!this.#filters) return this.#candidates.choose(logits, best, this.#options)
    return chooseFiltered(this.#candidates, logits, best, this.#options, rng, this.#mu)
  }

  #adjust(logits: Float32Array, history: TokenHistory | undefined, rules: readonly TokenRule[]): Float32Array {
    if (logits.length === 0) throw new OptionError('There are no logits; expected one per token of the vocabulary')
    if (this.#candidates.ids.length !== logits.length) this.#candidates.fit(logits.length)
    if (!this.#adjusts && rules.length === 0) return logits
    if (this.#adjusted.length !== logits.length) this.#adjusted = new Float32Array(logits.length)
    this.#adjusted.set(logits)
    adjustLogits(this.#adjusted, this.#options, history)
    for (const rule of rules) rule.apply(this.#adjusted)
    return this.#adjusted
  }

  /** Inverse transform sampling in the order of ids: one token per random number, however candidates were selected. */
  #draw(count: number): number {
    const { ids, weights } = this.#candidates
    let total = 0
    for (let i = 0; i < count; i++) total += weights[ids[i]!]!
    const target = this.rng.next() * total
    let sum = 0
    let last = ids[0]!
    for (let i = 0; i < count; i++) {
      const id = ids[i]!
      const weight = weights[id]!
      if (weight === 0) continue
      sum += weight
      if (sum > target) return id
      last = id
    }
    return last
  }
}

/**
 * The most likely token; ties: the lowest id. Throws SamplingError if a logit is NaN or +Infinity, or all are masked. By fours:
 * a new maximum is rare, so that most are passed with one test.
 */
export function argmax(logits: Float32Array): number {
  let best = -1
  let top = Number.NEGATIVE_INFINITY
  for (let from = 0; from < logits.length; from += 4) {
    if (logits[from]! <= top && logits[from + 1]! <= top && logits[from + 2]! <= top && logits[from + 3]! <= top) {
      continue
    }
    const end = Math.min(from + 4, logits.length)
    for (let id = from; id < end; id++) {
      const logit = logits[id]!
      if (logit <= top) continue
      if (Number.isNaN(logit)) throw notANumber(id, logit)
      top = logit
      best = id
    }
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
