/** Sizes of a latent model that are tried: computed and measured. */
import { type Candidate, candidateOf, newType, type Sources } from './candidate.ts'
import type { Measured, Meter } from './measure.ts'
import type { Sizes } from './plan.ts'
import { type Choice, thetaOf } from './sizes.ts'

/** A size that was tried. */
export interface Trial extends Sizes, Measured {
  /** Base of the rope key's frequencies. */
  readonly theta: number | null
}

/** What the work folder has of trials. */
interface Kept {
  /** Perplexity of the original. */
  readonly original: number
  readonly trials: readonly Trial[]
}

export class Trials {
  readonly #sources: Sources
  readonly #meter: Meter | null
  /** Of all that decides their numbers and the work folder's own identity does not have. */
  readonly #identity: string
  /** By what each was computed with; of an interrupted conversion, too. */
  readonly #known: Map<string, Trial>
  /** Those that this one asked for. */
  readonly #tried = new Map<string, Trial>()
  #last: Candidate | null = null

  private constructor(sources: Sources, meter: Meter | null, identity: string, known: readonly Trial[]) {
    this.#sources = sources
    this.#meter = meter
    this.#identity = identity
    this.#known = new Map(known.map(trial => [keyOf(trial), trial]))
  }

  /** With what an interrupted conversion has measured on kernels of these `numerics`. `meter` null: nothing is measured. */
  static async open(sources: Sources, meter: Meter | null, numerics: string): Promise<Trials> {
    const { source, work, form, balance } = sources
    const identity = JSON.stringify({ form, balance, type: newType(source), numerics })
    const kept = meter ? ((await work.measured(identity)) as Kept | undefined) : undefined
    if (!meter || !kept) return new Trials(sources, meter, identity, [])
    meter.original = kept.original
    return new Trials(sources, meter, identity, kept.trials)
  }

  /** The smallest cache first, of each size what loses least last. */
  get measured(): Trial[] {
    return [...this.#tried.values()].sort((a, b) => sizeOf(a) - sizeOf(b) || b.kl.mean - a.kl.mean)
  }

  /** The model of a size; its tensors are in the work folder until another is computed. */
  async candidate(choice: Choice): Promise<Candidate> {
    const last = this.#last
    if (last && keyOfChoice(last) === keyOfChoice(choice)) return last
    this.#last = null
    this.#last = await candidateOf(this.#sources, choice)
    return this.#last
  }

  async measure(choice: Choice): Promise<Trial | null> {
    if (!this.#meter) return null
    const key = keyOfChoice(choice)
    const trial = this.#known.get(key) ?? (await this.#measured(this.#meter, choice))
    this.#tried.set(key, trial)
    return trial
  }

  async #measured(meter: Meter, choice: Choice): Promise<Trial> {
    const { opened, rank, rope } = await this.candidate(choice)
    const trial = { rank, rope, theta: thetaOf(choice), ...(await meter.measure(opened)) }
    // JSON has no other numbers.
    if (!allFinite(trial)) return trial
    this.#known.set(keyOf(trial), trial)
    const kept = { original: meter.original as number, trials: [...this.#known.values()] }
    await this.#sources.work.keepMeasured(this.#identity, kept satisfies Kept)
    return trial
  }
}

function keyOfChoice(choice: Choice): string {
  return keyOf({ rank: choice.rank, rope: choice.rope, theta: thetaOf(choice) })
}

function keyOf({ rank, rope, theta }: Pick<Trial, 'rank' | 'rope' | 'theta'>): string {
  return [rank, rope, theta].join(' ')
}

function allFinite({ perplexity, perplexityRatio, kl, errorByLayer }: Measured): boolean {
  const { mean, error } = perplexityRatio
  return [perplexity, mean, error, kl.mean, kl.error, ...errorByLayer].every(Number.isFinite)
}

function sizeOf({ rank, rope }: Sizes): number {
  return rank + rope
}
