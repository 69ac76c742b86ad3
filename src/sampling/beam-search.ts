import { logprobs } from './logprobs.ts'

/** A text that may still grow. */
export interface Beam {
  /** Which of the beams before it goes on from. */
  readonly parent: number
  readonly ids: readonly number[]
  /** Of all its tokens together. */
  readonly logprob: number
}

/** A text that has ended. */
export interface EndedBeam extends Beam {
  /** Its ids do not have the end-of-text token that ended it. */
  readonly ends: 'eos' | 'length'
  /** What beams are compared by: the log-probability / (tokens, that of the end included) ** lengthPenalty. */
  readonly score: number
}

export interface BeamSearchOptions {
  /** Beams that are followed, and texts that come of it. */
  readonly width: number
  /** Tokens of a text, the end-of-text token included. */
  readonly maxTokens: number
  readonly eos: ReadonlySet<number>
  /** 0: log-probabilities as they are, which favours short texts; 1: their mean; above, long texts. */
  readonly lengthPenalty: number
  /** End as soon as there are enough ended texts. Else when no living beam, at its length, beats the worst of them. */
  readonly earlyStopping: boolean
}

/**
 * Beam search as transformers' `generate(num_beams)` does it: of all continuations of the living beams the best
 * `(1 + ends) * width` are looked at; those among the best `width` that end here join the ended ones, the best of which
 * are kept; the best `width` that do not end live on.
 */
export class BeamSearch {
  readonly #options: BeamSearchOptions
  #living: readonly Beam[] = [{ parent: 0, ids: [], logprob: 0 }]
  #ended: readonly EndedBeam[] = []
  #length = 0

  constructor(options: BeamSearchOptions) {
    this.#options = options
  }

  /** Best first: whose next tokens' logits `advance` asks for. At the beginning one that is empty. */
  get living(): readonly Beam[] {
    return this.#living
  }

  /** Best first. */
  get ended(): readonly EndedBeam[] {
    return this.#ended
  }

  get done(): boolean {
    const { width, maxTokens, earlyStopping } = this.#options
    if (this.#length >= maxTokens || this.#living.length === 0) return true
    const worst = this.#ended[width - 1]
    if (!worst) return false
    return earlyStopping || this.#score(this.#living[0] as Beam) <= worst.score
  }

  /** Takes the logits [vocab] of each living beam. */
  advance(logits: readonly Float32Array[]): void {
    const { width, maxTokens, eos } = this.#options
    this.#length++
    const candidates = this.#candidates(logits, Math.max(2, 1 + eos.size) * width)
    const ends = ({ token }: Candidate) => eos.has(token) || this.#length === maxTokens
    const living = candidates.filter(candidate => !ends(candidate)).slice(0, width)
    const ended = candidates.slice(0, width).filter(ends)
    const all = [...this.#ended, ...ended.map(candidate => this.#finished(candidate))]
    this.#ended = all.sort((a, b) => b.score - a.score).slice(0, width)
    this.#living = living.map(candidate => this.#grown(candidate))
  }

  /** The best continuations of all beams, best first; among equals the better beam, then the lower id. */
  #candidates(logits: readonly Float32Array[], count: number): Candidate[] {
    const all = this.#living.flatMap(({ logprob }, parent) => {
      const { top } = logprobs(logits[parent] as Float32Array, 0, count)
      const possible = top.filter(one => one.logprob > Number.NEGATIVE_INFINITY)
      return possible.map(({ id, logprob: of }): Candidate => ({ parent, token: id, logprob: logprob + of }))
    })
    return all.sort((a, b) => b.logprob - a.logprob || a.parent - b.parent || a.token - b.token).slice(0, count)
  }

  #grown({ parent, token, logprob }: Candidate): Beam {
    return { parent, ids: [...(this.#living[parent] as Beam).ids, token], logprob }
  }

  #finished(candidate: Candidate): EndedBeam {
    const grown = this.#grown(candidate)
    const score = this.#score(grown)
    const isEos = this.#options.eos.has(candidate.token)
    return { ...grown, ids: isEos ? grown.ids.slice(0, -1) : grown.ids, ends: isEos ? 'eos' : 'length', score }
  }

  #score({ logprob }: { readonly logprob: number }): number {
    return logprob / this.#length ** this.#options.lengthPenalty
  }
}

interface Candidate {
  readonly parent: number
  readonly token: number
  readonly logprob: number
}
