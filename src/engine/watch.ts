import type { HostLink } from './protocol.ts'

/** Milliseconds between two looks at a thread. */
const LOOK = 200

/**
 * Looks after a thread that was asked to stop something. It is asked for a sign of life again and again; who gives none for
 * a while, though no kernels run, is stuck. Looks are counted instead of time, so that a caller who is busy itself is not
 * taken for a stuck thread.
 */
export class Watch {
  readonly #link: HostLink
  readonly #stuck: () => void
  #timer: ReturnType<typeof setInterval> | null = null
  #count = -1
  #silentLooks = 0

  constructor(link: HostLink, stuck: () => void) {
    this.#link = link
    this.#stuck = stuck
  }

  /** Begins, or goes on; `patience`: milliseconds of silence. */
  begin(patience: number): void {
    const { signs } = this.#link
    if (!signs) return
    this.end()
    this.#silentLooks = 0
    this.#timer = setInterval(() => {
      const { count, computing } = signs
      if (count !== this.#count || computing) this.#silentLooks = 0
      this.#count = count
      this.#link.post({ type: 'ping' })
      if (++this.#silentLooks * LOOK <= patience) return
      this.end()
      this.#stuck()
    }, LOOK)
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}
