import type { Chunk, Completion, Generation } from './results.ts'

type Outcome = { readonly completion: Completion } | { readonly error: unknown }

/**
 * A prompt under way as the caller holds it. Chunks stay until the object is let go, so iterating and awaiting may
 * come in any order and any number; there are at most as many as the context has tokens.
 */
export class GenerationStream implements Generation {
  readonly #chunks: Chunk[] = []
  readonly #cancel: () => void
  #outcome: Outcome | null = null
  #wake: (() => void)[] = []

  /** `cancel` asks for the end of an unfinished generation; `finish` or `fail` must follow. */
  constructor(cancel: () => void) {
    this.#cancel = cancel
  }

  push(chunks: readonly Chunk[]): void {
    this.#chunks.push(...chunks)
    this.#changed()
  }

  finish(completion: Completion): void {
    this.#outcome ??= { completion }
    this.#changed()
  }

  fail(error: unknown): void {
    this.#outcome ??= { error }
    this.#changed()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk, void, void> {
    let next = 0
    try {
      for (;;) {
        while (next < this.#chunks.length) yield this.#chunks[next++] as Chunk
        if (this.#outcome) break
        await this.#change()
      }
      completionOf(this.#outcome)
    } finally {
      if (!this.#outcome) {
        this.#cancel()
        await this.#end()
      }
    }
  }

  // biome-ignore lint/suspicious/noThenProperty: a generation is awaited for its completion
  then<A = Completion, B = never>(
    fulfilled?: ((completion: Completion) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    // Made only when asked for: a generation that is only iterated leaves no unhandled rejection behind.
    return this.#end().then(completionOf).then(fulfilled, rejected)
  }

  async #end(): Promise<Outcome> {
    while (!this.#outcome) await this.#change()
    return this.#outcome
  }

  #change(): Promise<void> {
    return new Promise(resolve => this.#wake.push(resolve))
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }
}

function completionOf(outcome: Outcome): Completion {
  if ('error' in outcome) throw outcome.error
  return outcome.completion
}
