import type { MaskedText, Masks } from '../../grammar/thread/masked-text.ts'

/** Milliseconds that the loop may block within each window. */
const MOST = 2
const WINDOW = 10

/**
 * How long the loop blocks for masks that are not there yet, all texts together. Blocking briefly is the fastest way to a
 * mask that is nearly done; the limit is what other texts may lose by it.
 */
export class Patience {
  readonly #mayBlock: boolean
  readonly #now: () => number
  #since = Number.NEGATIVE_INFINITY
  #spent = 0

  /** `mayBlock`: false for the main thread of a page. */
  constructor(mayBlock: boolean, now: () => number) {
    this.#mayBlock = mayBlock
    this.#now = now
  }

  /** The masks of the text's last request, if they come in time. Throws GrammarError. */
  wait(text: MaskedText): Masks | null {
    if (!this.#mayBlock) return null
    const began = this.#now()
    if (began - this.#since >= WINDOW) {
      this.#since = began
      this.#spent = 0
    }
    const left = MOST - this.#spent
    if (left <= 0) return null
    const masks = text.wait(left)
    this.#spent += this.#now() - began
    return masks ?? null
  }

  /** The same where a promise may be awaited, so that a thread waits too that may not block, or that is sent its masks. */
  async soon(text: MaskedText): Promise<Masks | null> {
    const there = text.poll() ?? this.wait(text)
    // Masks that are sent arrive only where this thread is given up.
    if (there || (this.#mayBlock && text.isShared)) return there
    const timeout = new Promise<null>(resolve => void setTimeout(resolve, MOST, null))
    return Promise.race([text.next(), timeout])
  }
}
