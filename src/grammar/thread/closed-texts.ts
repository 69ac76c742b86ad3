import type { MaskedText } from './masked-text.ts'
import type { WorkTime } from './work-time.ts'

/** Milliseconds of work after which masks of a closed text count as never coming. */
const STUCK = 10_000

/** What computes the masks. */
interface Worker {
  /** Begins to measure what it works from now on. */
  work(): WorkTime
  /** Goes on without the closed texts. */
  restart(): void
}

/** Texts that were closed while their masks were computed: their thread goes on with them, and whoever asks next waits for it. */
export class ClosedTexts {
  readonly #worker: Worker
  readonly #texts = new Map<number, MaskedText>()
  /** What is worked on: the oldest of them. */
  #oldest: { readonly text: MaskedText; readonly work: WorkTime } | null = null

  constructor(worker: Worker) {
    this.#worker = worker
  }

  add(text: MaskedText): void {
    this.#forgetAnswered()
    this.#texts.set(text.number, text)
  }

  find(number: number): MaskedText | undefined {
    return this.#texts.get(number)
  }

  /** A fresh thread knows none of them. */
  clear(): void {
    this.#texts.clear()
    this.#oldest = null
  }

  /** Whether one of them asked before `text`. */
  isBusyBefore(text: MaskedText): boolean {
    this.#forgetAnswered()
    return [...this.#texts.values()].some(({ requested }) => requested < text.requested)
  }

  /** Nobody would miss the masks that take too long: a fresh thread leaves them out. */
  restartIfStuck(): void {
    const [text] = [...this.#texts.values()].sort((a, b) => a.requested - b.requested)
    if (text === undefined) return
    if (this.#oldest?.text !== text) this.#oldest = { text, work: this.#worker.work() }
    if (this.#oldest.work.look() >= STUCK) this.#worker.restart()
  }

  #forgetAnswered(): void {
    for (const [number, text] of this.#texts) if (text.isAnswered) this.#texts.delete(number)
  }
}
