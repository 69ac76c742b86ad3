import { logprobs } from './logprobs.ts'

/** A text that is still growing. */
export interface Beam {
  /** Index of the previous step's beam that this one extends. */
  readonly parent: number
  readonly ids: readonly number[]
  /** Log-probability of all its tokens together. */
  readonly logprob: number
}

/** A text that has ended. */
export interface EndedBeam extends Beam {
  /** Why it ended. Its ids do not include the end-of-text token. */
  readonly ends: 'eos' | 'length'
  /** Rank among ended beams: log-probability / (number of tokens, end-of-text included) ** lengthPenalty. */
  readonly score: number
}

export interface BeamSearchOptions {
  /** Number of beams, and of resulting texts. */
  readonly width: number
  /** Most tokens of a text, the end-of-text token included. */
  readonly maxTokens: number
  readonly eos: ReadonlySet<number>
  /** 0: the sum of log-probabilities, which favours short texts; 1: their mean; above 1: favours long texts. */
  readonly lengthPenalty: number
  /** End as soon as `width` texts have ended. Else end when no living beam, at its length, beats the worst ended one. */
  readonly earlyStopping: boolean
  /** Ids that a text of these ids may not go on with; what else there is stays as likely as it is. Default: none. */
  readonly banned?: (ids: readonly number[]) => ReadonlySet<number>
  /** The id that every text begins with. Default: any. */
  readonly firstId?: number | undefined
}

/**
 * Beam search as in transformers' `generate(num_beams)`. Each step ranks all continuations of the living beams and takes
 * the best `(1 + number of eos ids) * width`. Those among the first `width` that end join the ended beams, of which the
 * best `width` are kept. The best `width` that do not end live on.
 */
export class BeamSearch {
  readonly #options: BeamSearchOptions
  #living: readonly Beam[] = [{ parent: 0, ids: [], logprob: 0 }]
  #ended: readonly EndedBeam[] = []
  #length = 0

  constructor(options: BeamSearchOptions) {
    this.#options = options
  }

  /** Best first; `advance` needs the next logits of each. At the start, one empty beam. */
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

  /** Runs one step; `logits`: [vocab] for each living beam, in the order of `living`. */
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

  /** The best continuations of all beams, best first. Ties: the better beam first, then the lower id. */
  #candidates(logits: readonly Float32Array[], count: number): Candidate[] {
    const { banned, firstId } = this.#options
    const all = this.#living.flatMap(({ logprob, ids }, parent) => {
      // It costs nothing: there is no other.
      if (firstId !== undefined && ids.length === 0) return [{ parent, token: firstId, logprob }]
      const not = banned?.(ids)
      const { top } = logprobs(logits[parent] as Float32Array, 0, count + (not?.size ?? 0))
      const possible = top.filter(({ id, logprob }) => logprob > Number.NEGATIVE_INFINITY && !not?.has(id))
      return possible.map(({ id, logprob: own }): Candidate => ({ parent, token: id, logprob: logprob + own }))
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
