import { GrammarError } from '../errors.ts'
import type { GrammarSource } from '../matcher.ts'
import type { Vocabulary } from '../vocabulary.ts'
import { type FromMasks, type MasksPort, Slot, type StartMasks, type ToMasks } from './protocol.ts'
import { TICK, WorkTime } from './work-time.ts'

export interface MaskThreadOptions {
  readonly start: StartMasks
  /** prebuilt/grammar.wasm. */
  readonly wasm: Uint8Array
  readonly vocabulary: Vocabulary
  /** Ids of the model's logits; more than the vocabulary has are never allowed. */
  readonly ids: number
  /** Drafts that one request may hold. Default 0. */
  readonly maxDrafts?: number
  /** Whether masks are in memory that both threads see; else they are sent. Default: where it exists. */
  readonly shared?: boolean
  /**
   * Milliseconds of a processor that a compilation may take; then the thread is started again without it. Where the system does not
   * say what a thread has used: of the clock, from when it has begun. Default 10,000.
   */
  readonly compileTimeout?: number
}

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

interface Call {
  resolve(): void
  reject(error: Error): void
}

interface Compilation extends Call {
  /** The thread has begun it, in a fresh thread once more. */
  began(): void
}

interface HeldGrammar {
  readonly source: GrammarSource
  readonly key: string
  /** Of its compilation. */
  readonly call: number
  /** Texts under it. */
  users: number
}

/** How many grammars are kept that no text uses. */
const MAX_IDLE = 32

/** Grammars in a thread of their own: see the comment of `src/grammar/index.ts`. */
export class MaskThread {
  readonly #options: MaskThreadOptions
  readonly #words: number
  readonly #shared: boolean
  readonly #calls = new Map<number, Compilation>()
  /** By number; the least recently used first. */
  readonly #grammars = new Map<number, HeldGrammar>()
  readonly #known = new Map<string, { readonly grammar: number; readonly compiled: Promise<void> }>()
  readonly #texts = new Map<number, MaskedText>()
  #port: MasksPort
  /** The compilation that the thread is at. */
  #compiling: number | null = null
  #started!: Promise<void>
  #next = 1
  #ended: GrammarError | undefined

  constructor(options: MaskThreadOptions) {
    this.#options = options
    this.#words = Math.ceil(options.ids / 32)
    this.#shared = options.shared ?? typeof SharedArrayBuffer !== 'undefined'
    this.#port = this.#open()
  }

  /** Resolves when the vocabulary's tables are made. */
  get started(): Promise<void> {
    return this.#started
  }

  /** Compiles a grammar; the same source gives the same one. Throws GrammarError. */
  async compile(source: GrammarSource): Promise<number> {
    const { kind, text, distinct, distinctAfter, distinctParts, marks } = source
    const lists = JSON.stringify([distinctAfter, distinctParts])
    const key = `${kind} ${marks !== undefined} ${distinct === undefined}:${distinct ?? text}${lists}`
    let known = this.#known.get(key)
    if (known === undefined) {
      const grammar = this.#next++
      const call = this.#next++
      known = { grammar, compiled: this.#compile(grammar, call, source) }
      this.#known.set(key, known)
      this.#grammars.set(grammar, { source, key, call, users: 0 })
      known.compiled.catch(() => this.#forget(grammar))
    }
    await known.compiled
    return known.grammar
  }

  /** A text under a grammar, at its start. Make a request to get its first mask. */
  open(grammar: number): MaskedText {
    return this.#add(grammar, undefined)
  }

  /** Whether nothing can be asked of it any more. */
  get ended(): boolean {
    return this.#ended !== undefined
  }

  /** @internal Whether it compiles a grammar, which has a limit of its own: what else is asked of it waits. */
  get isCompiling(): boolean {
    return this.#compiling !== null
  }

  /** Throws the thread away and goes on with a fresh one: for a text that got stuck, after it was closed. */
  restart(): void {
    if (!this.#ended) this.#restart()
  }

  /** Ends the thread; requests fail. */
  close(): void {
    if (this.#ended) return
    this.#ended = new GrammarError('The thread of the grammars has been closed')
    this.#port.terminate()
    this.#fail(this.#ended)
  }

  /** @internal */
  post(message: ToMasks): void {
    if (this.#ended) throw this.#ended
    this.#port.post(message)
  }

  /** @internal Numbers requests in their order. */
  count(): number {
    return this.#next++
  }

  /** @internal */
  fork(text: MaskedText): MaskedText {
    return this.#add(text.grammar, text)
  }

  /** @internal */
  remove(text: MaskedText): void {
    this.#texts.delete(text.number)
    if (!this.#ended) this.#port.post({ type: 'close', text: text.number })
    const grammar = this.#grammars.get(text.grammar)
    if (grammar === undefined) return
    grammar.users--
    this.#grammars.delete(text.grammar)
    this.#grammars.set(text.grammar, grammar)
    this.#dropIdle()
  }

  #add(grammar: number, original: MaskedText | undefined): MaskedText {
    const held = this.#grammars.get(grammar)
    if (held === undefined) throw new GrammarError(`There is no grammar ${grammar}; compile it again`)
    held.users++
    const rows = 1 + (this.#options.maxDrafts ?? 0)
    const slot = this.#shared ? new SharedArrayBuffer(Slot.bytes(rows, this.#words)) : undefined
    const text = new MaskedText(this, this.#next++, grammar, this.#words, slot, original)
    this.#texts.set(text.number, text)
    this.post({ type: 'open', text: text.number, grammar, slot, fork: original?.number })
    return text
  }

  #compile(grammar: number, call: number, source: GrammarSource): Promise<void> {
    return this.#started.then(
      () =>
        new Promise<void>((resolve, reject) => {
          const limit = this.#options.compileTimeout ?? 10_000
          let timer: ReturnType<typeof setTimeout> | undefined
          const look = (work: WorkTime) => {
            const left = limit - work.look()
            if (left > 0) {
              timer = setTimeout(() => look(work), Math.min(left + 1, TICK))
              return
            }
            this.#calls.delete(call)
            reject(new GrammarError(`The grammar takes longer than ${limit} ms to compile; use a smaller one`))
            this.#forget(grammar)
            this.#restart()
          }
          const end = (then: () => void) => () => {
            clearTimeout(timer)
            then()
          }
          this.#calls.set(call, {
            began: end(() => look(new WorkTime(this.#port))),
            resolve: end(resolve),
            reject: error => end(() => reject(error))(),
          })
          this.post({ type: 'compile', call, grammar, source })
        }),
    )
  }

  #forget(grammar: number): void {
    const held = this.#grammars.get(grammar)
    if (held === undefined) return
    this.#grammars.delete(grammar)
    this.#known.delete(held.key)
  }

  #dropIdle(): void {
    const idle = [...this.#grammars].filter(([, { users }]) => users === 0)
    for (const [grammar] of idle.slice(0, Math.max(0, idle.length - MAX_IDLE))) {
      this.#forget(grammar)
      if (!this.#ended) this.#port.post({ type: 'release', grammar })
    }
  }

  #open(): MasksPort {
    let started!: Call
    let hasStarted = false
    this.#started = new Promise<void>((resolve, reject) => {
      started = { resolve, reject }
    })
    this.#started.catch(() => {})
    const port: MasksPort = this.#options.start({
      message: message => {
        if (port !== this.#port) return
        if (message.type === 'started') {
          hasStarted = true
          started.resolve()
        } else if (message.type === 'refused') started.reject(new GrammarError(message.reason))
        else this.#receive(message)
      },
      failed: reason => {
        if (port !== this.#port || this.#ended) return
        const error = new GrammarError(`The thread of the grammars has ended: ${reason}`)
        if (hasStarted) this.#replace(error)
        else {
          started.reject(error)
          this.#fail(error)
        }
      },
    })
    const { wasm, vocabulary } = this.#options
    port.post({ type: 'start', wasm, vocabulary, words: this.#words })
    return port
  }

  /** The thread has died of what it worked on: that fails, and everything else goes on in a fresh one. */
  #replace(error: GrammarError): void {
    const [compiling] = this.#calls
    const working = [...this.#texts.values()].filter(text => text.isPending).sort((a, b) => a.requested - b.requested)
    if (compiling) {
      this.#calls.delete(compiling[0])
      compiling[1].reject(error)
    } else working[0]?.fail(error)
    this.#restart()
  }

  /** A fresh thread with the same grammars and texts. */
  #restart(): void {
    this.#port.terminate()
    this.#compiling = null
    this.#port = this.#open()
    for (const [grammar, { source, call }] of this.#grammars)
      this.#port.post({ type: 'compile', call, grammar, source })
    for (const text of this.#texts.values()) text.reopen(message => this.#port.post(message))
  }

  #receive(message: FromMasks): void {
    switch (message.type) {
      case 'compiling':
        this.#compiling = message.call
        this.#calls.get(message.call)?.began()
        break
      case 'compiled': {
        this.#compiling = null
        const call = this.#calls.get(message.call)
        this.#calls.delete(message.call)
        if (message.error === undefined) call?.resolve()
        else call?.reject(new GrammarError(`The grammar cannot be compiled: ${message.error}`))
        break
      }
      case 'done':
        this.#texts.get(message.text)?.settle()
        break
      case 'masks':
        this.#texts.get(message.text)?.take(message.slot)
        break
    }
  }

  #fail(error: GrammarError): void {
    this.#ended ??= error
    for (const call of this.#calls.values()) call.reject(error)
    this.#calls.clear()
    for (const text of this.#texts.values()) text.fail(error)
  }
}

/** One text under a grammar. `request` returns at once; `next` gives the masks. */
export class MaskedText {
  readonly number: number
  readonly grammar: number
  readonly #thread: MaskThread
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
  #waiting: Call[] = []
  #failure: GrammarError | undefined
  #closed = false

  /** @internal Use `thread.open`. */
  constructor(
    thread: MaskThread,
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
    this.fail(new GrammarError('The text has been closed'))
    this.#thread.remove(this)
  }

  /** @internal Its last request is not done. */
  get isPending(): boolean {
    return this.#failure === undefined && this.#request !== 0 && this.#slot?.request !== this.#request
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
