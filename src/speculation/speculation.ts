import type { Proposer, StateReader } from './proposer.ts'

const FIRST_LENGTH = 4
const MAX_REST = 30
/** Where every guess costs, so many steps with guesses tell whether they pay; fewer are chance. */
const STEPS_TO_TELL = 12
/** Doublings of a rest where every guess costs: to tell takes the time of some steps, as does what has to be read first. */
const MAX_DOUBLINGS = 5
/** Decay of the moving averages per step. */
const DECAY = 0.8
/** Tokens per step below which drafts do not pay, however fast they are: one accepted guess in ten steps. */
const MIN_TOKENS_PER_STEP = 1.1
/** Where every guess costs, one of so many steps goes without, to know what a step takes then. */
const PLAIN_EVERY = 24

/**
 * Speculative decoding of one text: requests drafts from the proposer and adapts their length to the results. A fully
 * accepted draft doubles the next one's length; otherwise the next is one token longer than what was accepted. If nothing
 * is accepted, or tokens take longer with drafts than without, it rests for more and more steps. So an unpredictable
 * text, a machine on which rows are expensive, and many texts at once cost little.
 */
export class Speculation {
  readonly #proposer: Proposer
  readonly #plain = new Pace()
  #drafts = new Pace()
  #length: number
  #misses = 0
  #rest = 0
  /** Steps with guesses since one without. */
  #guessed = PLAIN_EVERY
  #drafted = 0
  #accepted = 0
  /** The step's guesses took time, whether there are any or not. */
  #costs = false
  /** Tokens that the proposer has not read, as there were no guesses. */
  #unread = 0
  /** Of all steps whose time counts, and of those without guessing. */
  readonly #all = { ms: 0, tokens: 0 }
  readonly #without = { ms: 0, tokens: 0 }

  constructor(proposer: Proposer) {
    this.#proposer = proposer
    this.#length = Math.min(FIRST_LENGTH, proposer.most)
  }

  /** Length of the next draft; 0 while resting, and now and then for comparison. */
  get wanted(): number {
    const due = !this.#proposer.costless && this.#guessed >= PLAIN_EVERY
    return this.#rest > 0 || due ? 0 : this.#length
  }

  /** Set if guesses are made from the model's states. */
  get states(): StateReader | undefined {
    return this.#proposer.states
  }

  /** Number of tokens that were guessed and checked. */
  get drafted(): number {
    return this.#drafted
  }

  /** Number of guessed tokens that were accepted. */
  get accepted(): number {
    return this.#accepted
  }

  /**
   * How many times as fast as without guesses: the time per token of steps without them over that of all. null: there were no such steps
   * yet.
   */
  get speedUp(): number | null {
    const { ms, tokens } = this.#all
    if (this.#without.tokens === 0 || this.#drafted === 0 || ms === 0) return null
    return (this.#without.ms * tokens) / (this.#without.tokens * ms)
  }

  async propose(tokens: readonly number[], count: number): Promise<readonly number[]> {
    this.#costs = count > 0 && !this.#proposer.costless
    return count === 0 ? [] : this.#proposer.propose(tokens, count)
  }

  /**
   * Records a step of the text that checked `drafted` tokens and accepted the first `accepted` of them. `ms`: its time,
   * the proposer included; null if something else in the step, such as a chunk of a prompt, determined the time.
   */
  checked(drafted: number, accepted: number, ms: number | null): void {
    this.#drafted += drafted
    this.#accepted += accepted
    const plain = drafted === 0 && !this.#costs
    this.#costs = false
    // One whose time does not count tells nothing: the next but one is to.
    this.#guessed = !plain ? this.#guessed + 1 : ms === null ? PLAIN_EVERY - 1 : 0
    if (ms !== null) {
      this.#all.ms += ms
      this.#all.tokens += accepted + 1
    }
    if (plain && ms !== null) {
      this.#without.ms += ms
      this.#without.tokens++
    }
    // Reading is done once, and says nothing about guesses.
    if (drafted === 0 && !plain && this.#proposer.isReading) return
    if (plain) {
      this.#unread++
      this.#rest = Math.max(this.#rest - 1, 0)
      if (ms !== null) this.#plain.add(ms, 1)
      return
    }
    // Guesses after a long rest also take the time of what is read then, more than a draft that holds leaves: the next ones tell.
    const counts = this.#proposer.costless || this.#unread <= this.#proposer.most
    this.#unread = 0
    if (ms !== null && counts) this.#drafts.add(ms, accepted + 1)
    if (accepted === drafted) this.#length = Math.max(2 * drafted, this.#length)
    else this.#length = accepted > 0 ? accepted + 1 : Math.max(this.#length >> 1, 1)
    this.#length = Math.min(this.#length, this.#proposer.most)
    if (!counts) return
    const { costless } = this.#proposer
    if (!costless && this.#drafts.steps < STEPS_TO_TELL) return
    if (this.#drafts.tokensPerStep >= MIN_TOKENS_PER_STEP && !this.#drafts.isSlowerThan(this.#plain)) {
      this.#misses >>= 1
      return
    }
    this.#misses++
    if (costless) {
      this.#rest = Math.min(2 ** this.#misses - 2, MAX_REST)
      return
    }
    this.#rest = STEPS_TO_TELL * 2 ** Math.min(this.#misses, MAX_DOUBLINGS)
    // After the rest the text is another.
    this.#drafts = new Pace()
  }
}

/** Moving averages of time and tokens per step. */
class Pace {
  /** Steps so far. */
  steps = 0
  #steps = 0
  #ms = 0
  #tokens = 0

  add(ms: number, tokens: number): void {
    // Limit outliers: another process may have delayed this step.
    const usual = this.#tokens > 0 ? (2 * this.#ms * tokens) / this.#tokens : ms
    this.steps++
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
