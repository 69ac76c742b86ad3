import { GrammarError } from '../errors.ts'
import { Slot, type ToMasks } from './protocol.ts'
import type { WorkTime } from './work-time.ts'

/** What a text adds, and what it needs masks for. */
export interface MaskRequest {
  /** Ids to take back first. Default 0. */
  readonly drop?: number
  /** Ids that the text has got since the last request. */
  readonly ids?: readonly number[]
  /** Guesses of the next ids: each that is allowed gives a further mask, the one after it. */
  readonly drafts?: readonly number[]
  /** Tokens that the text has left; a text that can end by itself is then brought to its end in time. Default: no limit. */
  readonly left?: number
  /**
   * Without drafts: how many masks more are wanted, of ids that have to come next or are the likeliest way to write what has to.
   * There are none where memory is not shared. Default 0.
   */
  readonly ahead?: number
}

/** The masks of the last request. They are overwritten by the next one. */
export interface Masks {
  /** 1 + the number of drafts that are allowed, or of ids that were foreseen. */
  readonly count: number
  /** u32 [words], one bit per id: row 0 is for the next id, row i for the one after draft i - 1. */
  readonly rows: readonly Uint32Array[]
  /** Whether the text may end before the id that a row is for. */
  accepting(row: number): boolean
  /** Whether it has to: the row allows the ids that end a text, and no others. */
  stopped(row: number): boolean
  /** The draft, or the id that was foreseen, after the row's place: the next row is for the one after it. Below `count - 1`. */
  draft(row: number): number
}

/** @internal What a text needs of its thread. */
export interface TextThread {
  readonly isCompiling: boolean
  post(message: ToMasks): void
  /** Numbers requests in their order. */
  count(): number
  isBusyBefore(text: MaskedText): boolean
  /** Begins to measure what it works from now on. */
  work(): WorkTime
  fork(text: MaskedText): MaskedText
  remove(text: MaskedText): void
}

/** @internal Who waits for the thread. */
export interface Waiting {
  resolve(): void
  reject(error: Error): void
}

/** One text under a grammar. `request` returns at once; `next` gives the masks. */
export class MaskedText {
  readonly number: number
  readonly grammar: number
  readonly #thread: TextThread
  readonly #words: number
  readonly #memory: SharedArrayBuffer | undefined
  #slot: Slot | undefined
  /** All ids so far: a fresh thread needs them. */
  #ids: number[]
  #drafts: readonly number[] = []
  #left: number | undefined
  #ahead = 0
  #request = 0
  /** When the last request was made, by the thread's count of requests. */
  #requested = 0
  #waiting: Waiting[] = []
  #failure: GrammarError | undefined
  #closed = false

  /** @internal Use `thread.open`. */
  constructor(
    thread: TextThread,
    number: number,
    grammar: number,
    words: number,
    memory: SharedArrayBuffer | undefined,
    original: MaskedText | undefined,
  ) {
    this.#thread = thread
    this.number = number
    this.grammar = grammar
    this.#words = words
    this.#memory = memory
    this.#slot = memory && new Slot(memory, words)
    this.#ids = original === undefined ? [] : [...original.#ids]
  }

  /** Whether its masks are in memory that both threads see: only these can be blocked for. */
  get isShared(): boolean {
    return this.#memory !== undefined
  }

  /** Whether its masks wait for a grammar that is being compiled. */
  get waitsForCompilation(): boolean {
    return this.#thread.isCompiling
  }

  /** Whether its masks wait for those of a text that has asked earlier. */
  get waitsForOthers(): boolean {
    return this.#thread.isBusyBefore(this)
  }

  /** Begins to measure how long its thread works. */
  work(): WorkTime {
    return this.#thread.work()
  }

  /** Ids of the text so far. */
  get length(): number {
    return this.#ids.length
  }

  /** Asks for masks. The masks of the request before must have been used. */
  request({ drop = 0, ids = [], drafts = [], left, ahead = 0 }: MaskRequest): void {
    if (drop > this.#ids.length) {
      throw new GrammarError(`${drop} ids cannot be taken back; the text has ${this.#ids.length}`)
    }
    this.#ids.length -= drop
    for (const id of ids) this.#ids.push(id)
    this.#drafts = drafts
    this.#left = left
    this.#ahead = ahead
    this.#request = (this.#request + 1) | 0
    this.#requested = this.#thread.count()
    this.#thread.post({ type: 'advance', text: this.number, request: this.#request, drop, ids, drafts, left, ahead })
  }

  /** The masks of the last request, if they are there. Throws GrammarError if it failed. */
  poll(): Masks | undefined {
    if (this.#failure) throw this.#failure
    const slot = this.#slot
    if (slot === undefined || slot.request !== this.#request) return undefined
    const { error } = slot
    if (error === undefined) return slot
    this.#failure = new GrammarError(error)
    throw this.#failure
  }

  /** The same, after blocking for at most `milliseconds` where memory is shared. */
  wait(milliseconds: number): Masks | undefined {
    if (this.isShared) (this.#slot as Slot).wait(this.#request, milliseconds)
    return this.poll()
  }

  /**
   * The masks of the last request: at once where they are there, or after blocking for at most `milliseconds` (only where
   * memory is shared; 0 where the thread may not block); else a promise of them.
   */
  next(milliseconds = 0): Masks | Promise<Masks> {
    const there = this.poll() ?? (milliseconds > 0 ? this.wait(milliseconds) : undefined)
    if (there !== undefined) return there
    return new Promise<void>((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (this.#memory) this.#thread.post({ type: 'notify', text: this.number, request: this.#request })
    }).then(() => this.next())
  }

  /** Another text at the same place. Make a request to get its mask. */
  fork(): MaskedText {
    return this.#thread.fork(this)
  }

  /** Gives its memory back. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#thread.remove(this)
    this.fail(new GrammarError('The text has been closed'))
  }

  /** @internal Its last request is not done. */
  get isPending(): boolean {
    return this.#failure === undefined && !this.isAnswered
  }

  /** @internal Its thread has done what it was asked for last, if only by saying why it cannot. */
  get isAnswered(): boolean {
    return this.#request === 0 || this.#slot?.request === this.#request
  }

  /** @internal */
  get requested(): number {
    return this.#requested
  }

  /** @internal The thread was started again. */
  reopen(post: (message: ToMasks) => void): void {
    if (this.#failure) return
    const { number: text, grammar } = this
    post({ type: 'open', text, grammar, slot: this.#memory, fork: undefined })
    const rest = { drop: 0, ids: [...this.#ids], drafts: this.#drafts, left: this.#left, ahead: this.#ahead }
    if (this.#request !== 0) post({ type: 'advance', text, request: this.#request, ...rest })
    if (this.#memory && this.#waiting.length > 0) post({ type: 'notify', text, request: this.#request })
  }

  /** @internal */
  take(slot: ArrayBuffer): void {
    this.#slot = new Slot(slot, this.#words)
    if (this.#slot.request === this.#request) this.settle()
  }

  /** @internal */
  settle(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  /** @internal */
  fail(error: GrammarError): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
