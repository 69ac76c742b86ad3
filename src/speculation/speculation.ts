import type { Proposer } from './proposer.ts'

const FIRST_LENGTH = 4
const LONGEST_REST = 30
/** What a step says is worth so much of all that was said before. */
const FORGET = 0.8
/** Less than one guess in ten steps is not worth the asking, however fast it went. */
const LEAST_TOKENS = 1.1

/**
 * Guessing ahead for one text: asks the proposer, and learns from what came of it how much to ask for. A draft that
 * holds doubles the next one's length, one that breaks sets it behind the break. Where nothing held, or tokens with
 * drafts take longer than tokens without, it rests for more and more steps: so a text that cannot be guessed, a machine on
 * which rows are dear and many texts at once cost little.
 */
export class Speculation {
  readonly #proposer: Proposer
  readonly #plain = new Pace()
  readonly #drafts = new Pace()
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

  /**
   * A step of the text is over that checked `drafted` tokens, and the first `accepted` of them held. It took `ms`, the
   * proposer included; null: as long as something else in it, such as a piece of a prompt.
   */
  checked(drafted: number, accepted: number, ms: number | null): void {
    this.#drafted += drafted
    this.#accepted += accepted
    if (drafted === 0) {
      this.#rest = Math.max(this.#rest - 1, 0)
      if (ms !== null) this.#plain.add(ms, 1)
      return
    }
    if (ms !== null) this.#drafts.add(ms, accepted + 1)
    if (accepted === drafted) this.#length = Math.max(2 * drafted, this.#length)
    else this.#length = accepted > 0 ? accepted + 1 : Math.max(this.#length >> 1, 1)
    this.#length = Math.min(this.#length, this.#proposer.most)
    if (this.#drafts.tokensPerStep >= LEAST_TOKENS && !this.#drafts.isSlowerThan(this.#plain)) {
      this.#misses >>= 1
      return
    }
    this.#misses++
    this.#rest = Math.min(2 ** this.#misses - 2, LONGEST_REST)
  }
}

/** What steps take and bring, lately. */
class Pace {
  #steps = 0
  #ms = 0
  #tokens = 0

  add(ms: number, tokens: number): void {
    // A step that something else held up says little.
    const usual = this.#tokens > 0 ? (2 * this.#ms * tokens) / this.#tokens : ms
    this.#steps = FORGET * this.#steps + 1
    this.#ms = FORGET * this.#ms + Math.min(ms, usual)
    this.#tokens = FORGET * this.#tokens + tokens
  }

  get tokensPerStep(): number {
    return this.#steps > 0 ? this.#tokens / this.#steps : Number.POSITIVE_INFINITY
  }

  /** False as long as one of the two is not known. */
  isSlowerThan(other: Pace): boolean {
    return this.#ms * other.#tokens > other.#ms * this.#tokens
  }
}
