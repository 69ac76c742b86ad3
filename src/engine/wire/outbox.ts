import type { FromHost } from '../types/protocol.ts'
import type { Chunk } from '../types/results.ts'

/** Milliseconds between messages: often enough for an eye, seldom enough to leave the caller's thread alone. */
const INTERVAL = 15

/** Batches chunks, so that a fast model does not wake the caller once per token. The first one goes out at once. */
export class Outbox {
  readonly #post: (message: FromHost) => void
  readonly #now: () => number
  readonly #pending = new Map<number, Chunk[]>()
  #sent = Number.NEGATIVE_INFINITY

  constructor(post: (message: FromHost) => void, now: () => number) {
    this.#post = post
    this.#now = now
  }

  /** Takes the chunks of one prompt. */
  emitter(id: number): (chunk: Chunk) => void {
    return chunk => this.add(id, chunk)
  }

  add(id: number, chunk: Chunk): void {
    const chunks = this.#pending.get(id)
    if (chunks) chunks.push(chunk)
    else this.#pending.set(id, [chunk])
  }

  flushIfDue(): void {
    if (this.#now() - this.#sent >= INTERVAL) this.flush()
  }

  flush(): void {
    if (this.#pending.size === 0) return
    const batches = [...this.#pending].map(([id, chunks]) => ({ id, chunks }))
    this.#pending.clear()
    this.#sent = this.#now()
    this.#post({ type: 'chunks', batches })
  }
}
