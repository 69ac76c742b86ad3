/** Events of several writers for one reader. */
export class EventQueue<T> implements AsyncIterable<T> {
  readonly #waiting: T[] = []
  #wake: (() => void) | null = null
  #end: { readonly error: unknown } | 'ended' | null = null

  push(event: T): void {
    this.#waiting.push(event)
    this.#wake?.()
  }

  end(): void {
    this.#end ??= 'ended'
    this.#wake?.()
  }

  /** The reader gets what came before, then this. */
  fail(error: unknown): void {
    this.#end ??= { error }
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) yield next
      if (this.#end === 'ended') return
      if (this.#end) throw this.#end.error
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      this.#wake = null
    }
  }
}
