import type { Proposer } from './proposer.ts'

const FIRST_LENGTH = 4
const LONGEST_REST = 30
/** Decay of the moving averages per step. */
const DECAY = 0.8
/** Tokens per step below which drafts do not pay, however fast they are: one accepted guess in ten steps. */
const MIN_TOKENS_PER_STEP = 1.1

/**
 * Speculative decoding of one text: requests drafts from the proposer and adapts their length to the results. A fully
 * accepted draft doubles the next one's length; otherwise the next is one token longer than what was accepted. If nothing
 * is accepted, or tokens take longer with drafts than without, it rests for more and more steps. So an unpredictable
 * text, a machine on which rows are expensive, and many texts at once cost little.
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

  /** Length of the next draft; 0 while resting. */
  get wanted(): number {
    return this.#rest > 0 ? 0 : this.#length
  }

  /** Number of tokens that were guessed and checked. */
  get drafted(): number {
    return this.#drafted
  }

  /** Number of guessed tokens that were accepted. */
  get accepted(): number {
    return this.#accepted
  }

  async propose(tokens: readonly number[], count: number): Promise<readonly number[]> {
    return count === 0 ? [] : this.#proposer.propose(tokens, count)
  }

  /**
   * Records a step of the text that checked `drafted` tokens and accepted the first `accepted` of them. `ms`: its time,
   * the proposer included; null if something else in the step, such as a chunk of a prompt, determined the time.
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
    if (this.#drafts.tokensPerStep >= MIN_TOKENS_PER_STEP && !this.#drafts.isSlowerThan(this.#plain)) {
      this.#misses >>= 1
      return
    }
    this.#misses++
    this.#rest = Math.min(2 ** this.#misses - 2, LONGEST_REST)
  }
}

/** Moving averages of time and tokens per step. */
class Pace {
  #steps = 0
  #ms = 0
  #tokens = 0

  add(ms: number, tokens: number): void {
    // Limit outliers: another process may have delayed this step.
    const usual = this.#tokens > 0 ? (2 * this.#ms * tokens) / this.#tokens : ms
    this.#steps = DECAY * this.#steps + 1
    this.#ms = DECAY * this.#ms + Math.min(ms, usual)
    this.#tokens = DECAY * this.#tokens + tokens
  }

  get tokensPerStep(): number {
    return this.#steps > 0 ? this.#tokens / this.#steps : Number.POSITIVE_INFINITY
  }

  /** False while either has no steps yet. */
  isSlowerThan(other: Pace): boolean {
    return this.#ms * other.#tokens > other.#ms * this.#tokens
  }
}
