import { TokenHistory } from '../../sampling/history.ts'
import type { SamplingOptions } from '../../sampling/options.ts'
import { Rng, type RngState } from '../../sampling/rng.ts'
import { Sampler } from '../../sampling/sampler.ts'

/** As plain data. */
export interface DrawingState {
  readonly seed: number
  readonly rng: RngState
  /** Ids that the text's prompt had, and how often the text itself has each. */
  readonly prompt: readonly number[]
  readonly counts: readonly (readonly [id: number, count: number])[]
}

/** What the tokens of one text are drawn with: its generator, and what penalties look at. Both move on with the text. */
export class Drawing {
  readonly sampler: Sampler
  readonly history: TokenHistory

  private constructor(sampler: Sampler, history: TokenHistory) {
    this.sampler = sampler
    this.history = history
  }

  /** For a text after `prompt`. Throws OptionError. */
  static begin(options: SamplingOptions, prompt: Iterable<number>): Drawing {
    return new Drawing(new Sampler(options), new TokenHistory(prompt))
  }

  /** As if the text that `state` was taken of had not paused. Throws OptionError. */
  static goOn({ seed, rng, prompt, counts }: DrawingState, options: SamplingOptions): Drawing {
    return new Drawing(new Sampler({ ...options, seed }, new Rng(rng)), new TokenHistory(prompt, counts))
  }

  get state(): DrawingState {
    const { sampler, history } = this
    return {
      seed: Number(sampler.seed),
      rng: sampler.rng.state,
      prompt: [...history.prompt],
      counts: [...history.counts],
    }
  }
}
