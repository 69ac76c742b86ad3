import { GrammarError } from '../errors.ts'
import type { GrammarSource } from '../matcher.ts'
import type { Vocabulary } from '../vocabulary.ts'
import { ClosedTexts } from './closed-texts.ts'
import { MaskedText, type TextThread, type Waiting } from './masked-text.ts'
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

interface Compilation extends Waiting {
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
export class MaskThread implements TextThread {
  readonly #options: MaskThreadOptions
  readonly #words: number
  readonly #shared: boolean
  readonly #calls = new Map<number, Compilation>()
  /** By number; the least recently used first. */
  readonly #grammars = new Map<number, HeldGrammar>()
  readonly #known = new Map<string, { readonly grammar: number; readonly compiled: Promise<void> }>()
  readonly #texts = new Map<number, MaskedText>()
  readonly #closed = new ClosedTexts(this)
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

  /** @internal Whether it has an older request to work off first. */
  isBusyBefore(text: MaskedText): boolean {
    if ([...this.#texts.values()].some(other => other.isPending && other.requested < text.requested)) return true
    const isBusy = this.#closed.isBusyBefore(text)
    if (isBusy) this.#closed.restartIfStuck()
    return isBusy
  }

  /** @internal */
  work(): WorkTime {
    return new WorkTime(this.#port)
  }

  /** @internal */
  fork(text: MaskedText): MaskedText {
    return this.#add(text.grammar, text)
  }

  /** @internal */
  remove(text: MaskedText): void {
    this.#texts.delete(text.number)
    if (text.isPending) this.#closed.add(text)
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
    let started!: Waiting
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
    const [working] = this.#inOrder().filter(text => text.isPending)
    if (compiling) {
      this.#calls.delete(compiling[0])
      compiling[1].reject(error)
    } else if (working && !this.#closed.isBusyBefore(working)) working.fail(error)
    this.#restart()
  }

  /** A fresh thread with the same grammars and texts. */
  #restart(): void {
    this.#port.terminate()
    this.#closed.clear()
    this.#compiling = null
    this.#port = this.#open()
    for (const [grammar, { source, call }] of this.#grammars)
      this.#port.post({ type: 'compile', call, grammar, source })
    // What was asked for first is worked off first, as before.
    for (const text of this.#inOrder()) text.reopen(message => this.#port.post(message))
  }

  /** What asked first is first. */
  #inOrder(): readonly MaskedText[] {
    return [...this.#texts.values()].sort((a, b) => a.requested - b.requested)
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
        ;(this.#texts.get(message.text) ?? this.#closed.find(message.text))?.take(message.slot)
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
