import type { SamplingOptions } from '../../sampling/options.ts'
import { TokenHistory } from '../../sampling/penalties.ts'
import { Rng, type RngState } from '../../sampling/rng.ts'
import { Sampler } from '../../sampling/sampler.ts'

/** As plain data. */
export interface SavedSampler {
  readonly seed: number
  readonly rng: RngState
  /** Ids that the text's prompt had, and how often the text itself has each. */
  readonly prompt: readonly number[]
  readonly counts: readonly (readonly [id: number, count: number])[]
  /** Mirostat's bound on the surprise of the next token, if the text is drawn with it. */
  readonly mu?: number
}

/** What the tokens of one text are drawn with: its generator, and what penalties look at. Both move on with the text. */
export class SamplerState {
  readonly sampler: Sampler
  readonly history: TokenHistory

  private constructor(sampler: Sampler, history: TokenHistory) {
    this.sampler = sampler
    this.history = history
  }

  /** For a text after `prompt`. Throws OptionError. */
  static begin(options: SamplingOptions, prompt: Iterable<number>): SamplerState {
    return new SamplerState(new Sampler(options), new TokenHistory(prompt))
  }

  /** As if the text that `state` was taken of had not paused. Throws OptionError. */
  static resume({ seed, rng, prompt, counts, mu }: SavedSampler, options: SamplingOptions): SamplerState {
    return new SamplerState(new Sampler({ ...options, seed }, new Rng(rng), mu), new TokenHistory(prompt, counts))
  }

  get state(): SavedSampler {
    const { sampler, history } = this
    return {
      seed: Number(sampler.seed),
      rng: sampler.rng.state,
      prompt: [...history.prompt],
      counts: [...history.counts],
      ...(sampler.mu !== undefined && { mu: sampler.mu }),
    }
  }
}
