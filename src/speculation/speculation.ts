import type { Proposer } from './proposer.ts'

const FIRST_LENGTH = 4
const LONGEST_REST = 30

/**
 * Guessing ahead for one text: asks the proposer, and learns from what came of it how much to ask for. A draft that
 * holds doubles the next one's length, one that breaks sets it behind the break; after drafts of which nothing held, the
 * proposer rests for more and more steps, so that a text that cannot be guessed costs next to nothing.
 */
export class Speculation {
  readonly #proposer: Proposer
  #length: number
  #misses = 0
  #rest = 0
  #drafted = 0
  #accepted = 0

  constructor(proposer: Proposer) {
    this.#proposer = proposer
    this.#length = Math.min(FIRST_LENGTH, proposer.most)
  }

  /** How many tokens are worth guessing now. */
  get wanted(): number {
    return this.#rest > 0 ? 0 : this.#length
  }

  /** Tokens that were guessed and checked. */
  get drafted(): number {
    return this.#drafted
  }

  /** Those of them that the text has. */
  get accepted(): number {
    return this.#accepted
  }

  async propose(tokens: readonly number[], count: number): Promise<readonly number[]> {
    return count === 0 ? [] : this.#proposer.propose(tokens, count)
  }

  /** A step is over that checked `drafted` tokens, and the first `accepted` of them held. */
  checked(drafted: number, accepted: number): void {
    this.#drafted += drafted
    this.#accepted += accepted
    if (drafted === 0) this.#rest = Math.max(this.#rest - 1, 0)
    else if (accepted === 0) {
      this.#misses++
      this.#rest = Math.min(2 ** this.#misses - 2, LONGEST_REST)
      this.#length = Math.max(this.#length >> 1, 1)
    } else {
      this.#misses >>= 1
      const length = accepted === drafted ? Math.max(2 * drafted, this.#length) : accepted + 1
      this.#length = Math.min(length, this.#proposer.most)
    }
  }
}
