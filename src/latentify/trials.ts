/** Sizes of a latent model that are tried: computed and measured. */
import { type Candidate, candidateOf, type Sources } from './candidate.ts'
import type { Measured, Meter } from './measure.ts'
import type { Sizes } from './plan.ts'
import { type Choice, thetaOf } from './sizes.ts'

/** A size that was tried. */
export interface Trial extends Sizes, Measured {
  /** Base of the rope key's frequencies. */
  readonly theta: number | null
}

export class Trials {
  readonly #sources: Sources
  readonly #meter: Meter | null
  /** By what each was computed with. */
  readonly #tried = new Map<string, Trial>()
  #last: Candidate | null = null

  /** `meter` null: nothing is measured. */
  constructor(sources: Sources, meter: Meter | null) {
    this.#sources = sources
    this.#meter = meter
  }

  /** The smallest cache first, of each size what loses least last. */
  get measured(): Trial[] {
    return [...this.#tried.values()].sort((a, b) => sizeOf(a) - sizeOf(b) || b.kl.mean - a.kl.mean)
  }

  /** The model of a size; its tensors are in the work folder until another is computed. */
  async candidate(choice: Choice): Promise<Candidate> {
    const last = this.#last
    if (last && keyOf(last) === keyOf(choice)) return last
    this.#last = null
    this.#last = await candidateOf(this.#sources, choice)
    return this.#last
  }

  async measure(choice: Choice): Promise<Trial | null> {
    if (!this.#meter) return null
    const known = this.#tried.get(keyOf(choice))
    if (known) return known
    const { opened, rank, rope } = await this.candidate(choice)
    const trial = { rank, rope, theta: thetaOf(choice), ...(await this.#meter.measure(opened)) }
    this.#tried.set(keyOf(choice), trial)
    return trial
  }
}

function keyOf(choice: Choice): string {
  return [choice.rank, choice.rope, thetaOf(choice)].join(' ')
}

function sizeOf({ rank, rope }: Sizes): number {
  return rank + rope
}
