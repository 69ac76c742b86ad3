import type { HostLink } from '../types/protocol.ts'

/** Milliseconds between two looks at a thread. */
const LOOK = 200

/** Milliseconds that a thread may take in no message: without any sign of work, and while it works on a text. */
export interface SilenceLimits {
  readonly silent: number
  readonly working: number
}

/** Of a thread that was asked to stop something, or to end. */
export const LIMITS = {
  stop: { silent: 3000, working: 20_000 },
  dispose: { silent: 2000, working: 2000 },
} satisfies Record<string, SilenceLimits>

/**
 * Looks after a thread that was asked to stop something. It is asked for a sign of life again and again; who gives none for
 * a while, though no kernels run, is stuck. Looks are counted instead of time, so that a caller who is busy itself is not
 * taken for a stuck thread.
 */
export class Watch {
  readonly #link: HostLink
  readonly #stuck: () => void
  #timer: ReturnType<typeof setInterval> | null = null
  #messages = -1
  #work = -1
  /** Looks since the last message was taken in, and since the last sign of work. */
  #deaf = 0
  #silent = 0

  constructor(link: HostLink, stuck: () => void) {
    this.#link = link
    this.#stuck = stuck
  }

  /** Begins anew. */
  begin(limits: SilenceLimits): void {
    const { signs } = this.#link
    if (!signs) return
    this.end()
    this.#deaf = 0
    this.#silent = 0
    this.#timer = setInterval(() => {
      const { count, work, computing } = signs
      if (count !== this.#messages || computing) this.#deaf = 0
      if (this.#deaf === 0 || work !== this.#work) this.#silent = 0
      this.#messages = count
      this.#work = work
      this.#link.post({ type: 'ping' })
      if (++this.#silent * LOOK <= limits.silent && ++this.#deaf * LOOK <= limits.working) return
      this.end()
      this.#stuck()
    }, LOOK)
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}
