import type { Chunk, Completion } from '../types/results.ts'

interface Settle<Whole> {
  resolve(whole: Whole): void
  reject(error: unknown): void
}

/** What a text is held to, as its stream sees it. */
export interface StreamOutput<Part = Chunk, Whole = Completion> {
  /** The chunk with what the text is so far. */
  chunk(chunk: Part): Part
  /** The completion with its value. Throws OutputError. */
  finish(completion: Whole): Promise<Whole>
  /** The error that a failure means to the caller. */
  explain(error: unknown): unknown
}

type Outcome<Whole> = { readonly whole: Whole } | { readonly error: unknown }

/**
 * A prompt under way as the caller holds it. Chunks stay until the object is let go, so iterating and awaiting may
 * come in any order and any number; there are at most as many as `maxTokens` or the context (docs/resume.md).
 */
export class GenerationStream<Part = Chunk, Whole = Completion> implements AsyncIterable<Part>, Promise<Whole> {
  readonly [Symbol.toStringTag] = 'Generation'
  readonly #chunks: Part[] = []
  readonly #cancel: () => void
  readonly #output: StreamOutput<Part, Whole> | null
  /** Rejected like any promise: where nobody awaits or iterates, Node tells of an unhandled rejection. */
  readonly #whole: Promise<Whole>
  readonly #settle: Settle<Whole>
  #outcome: Outcome<Whole> | null = null
  #wake: (() => void)[] = []

  /** `cancel` asks for the end of an unfinished generation; `finish` or `fail` must follow. */
  constructor(cancel: () => void, output: StreamOutput<Part, Whole> | null = null) {
    this.#cancel = cancel
    this.#output = output
    let settle: Settle<Whole> | undefined
    this.#whole = new Promise((resolve, reject) => {
      settle = { resolve, reject }
    })
    this.#settle = settle as unknown as Settle<Whole>
  }

  push(chunks: readonly Part[]): void {
    if (this.#output) for (const chunk of chunks) this.#chunks.push(this.#output.chunk(chunk))
    else this.#chunks.push(...chunks)
    this.#changed()
  }

  finish(completion: Whole): void {
    if (!this.#output) this.#finish(completion)
    else
      this.#output.finish(completion).then(
        whole => this.#finish(whole),
        error => this.fail(error),
      )
  }

  #finish(whole: Whole): void {
    if (this.#outcome) return
    this.#outcome = { whole }
    this.#settle.resolve(whole)
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

  [Symbol.asyncIterator](): AsyncGenerator<Part, void, void> {
    // The iteration throws what went wrong.
    this.#heard()
    return this.#iterate()
  }

  // biome-ignore lint/suspicious/noThenProperty: a generation is awaited for its completion
  then<A = Whole, B = never>(
    fulfilled?: ((whole: Whole) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#whole.then(fulfilled, rejected)
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<Whole | B> {
    return this.#whole.catch(rejected)
  }

  finally(done?: (() => void) | null): Promise<Whole> {
    return this.#whole.finally(done)
  }

  async *#iterate(): AsyncGenerator<Part, void, void> {
    let next = 0
    try {
      for (;;) {
        while (next < this.#chunks.length) yield this.#chunks[next++] as Part
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
