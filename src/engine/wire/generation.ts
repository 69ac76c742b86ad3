import type { Chunk, Completion, Generation } from '../types/results.ts'

interface Settle {
  resolve(completion: Completion): void
  reject(error: unknown): void
}

/** What a text is held to, as its stream sees it. */
export interface StreamOutput {
  /** The chunk with what the text is so far. */
  chunk(chunk: Chunk): Chunk
  /** The completion with its value. Throws OutputError. */
  finish(completion: Completion): Promise<Completion>
  /** The error that a failure means to the caller. */
  explain(error: unknown): unknown
}

type Outcome = { readonly completion: Completion } | { readonly error: unknown }

/**
 * A prompt under way as the caller holds it. Chunks stay until the object is let go, so iterating and awaiting may
 * come in any order and any number; there are at most as many as `maxTokens` or the context (docs/resume.md).
 */
export class GenerationStream implements Generation {
  readonly [Symbol.toStringTag] = 'Generation'
  readonly #chunks: Chunk[] = []
  readonly #cancel: () => void
  readonly #output: StreamOutput | null
  /** Rejected like any promise: where nobody awaits or iterates, Node tells of an unhandled rejection. */
  readonly #whole: Promise<Completion>
  readonly #settle: Settle
  #outcome: Outcome | null = null
  #wake: (() => void)[] = []

  /** `cancel` asks for the end of an unfinished generation; `finish` or `fail` must follow. */
  constructor(cancel: () => void, output: StreamOutput | null = null) {
    this.#cancel = cancel
    this.#output = output
    let settle: Settle | undefined
    this.#whole = new Promise((resolve, reject) => {
      settle = { resolve, reject }
    })
    this.#settle = settle as unknown as Settle
  }

  push(chunks: readonly Chunk[]): void {
    if (this.#output) for (const chunk of chunks) this.#chunks.push(this.#output.chunk(chunk))
    else this.#chunks.push(...chunks)
    this.#changed()
  }

  finish(completion: Completion): void {
    if (!this.#output) this.#finish(completion)
    else
      this.#output.finish(completion).then(
        whole => this.#finish(whole),
        error => this.fail(error),
      )
  }

  #finish(completion: Completion): void {
    if (this.#outcome) return
    this.#outcome = { completion }
    this.#settle.resolve(completion)
    this.#changed()
  }

  /** `asked`: the caller wanted it so (an abort, a disposal), and need not be told where it does not listen. */
  fail(cause: unknown, { asked = false } = {}): void {
    if (this.#outcome) return
    const error = this.#output ? this.#output.explain(cause) : cause
    this.#outcome = { error }
    if (asked) this.#heard()
    this.#settle.reject(error)
    this.#changed()
  }

  /** Calls back at the end, however it comes; does not count as listening. */
  whenEnded(callback: () => void): void {
    void this.#end().then(callback)
  }

  [Symbol.asyncIterator](): AsyncGenerator<Chunk, void, void> {
    // The iteration throws what went wrong.
    this.#heard()
    return this.#iterate()
  }

  // biome-ignore lint/suspicious/noThenProperty: a generation is awaited for its completion
  then<A = Completion, B = never>(
    fulfilled?: ((completion: Completion) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#whole.then(fulfilled, rejected)
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<Completion | B> {
    return this.#whole.catch(rejected)
  }

  finally(done?: (() => void) | null): Promise<Completion> {
    return this.#whole.finally(done)
  }

  async *#iterate(): AsyncGenerator<Chunk, void, void> {
    let next = 0
    try {
      for (;;) {
        while (next < this.#chunks.length) yield this.#chunks[next++] as Chunk
        if (this.#outcome) break
        await this.#change()
      }
      if ('error' in this.#outcome) throw this.#outcome.error
    } finally {
      if (!this.#outcome) {
        this.#cancel()
        await this.#end()
      }
    }
  }

  #heard(): void {
    this.#whole.catch(() => {})
  }

  async #end(): Promise<void> {
    while (!this.#outcome) await this.#change()
  }

  #change(): Promise<void> {
    return new Promise(resolve => this.#wake.push(resolve))
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}
