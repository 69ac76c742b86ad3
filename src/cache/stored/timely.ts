/** Milliseconds after which work in a place counts as hanging. */
const LATE_MS = 20_000
/** Pause before a place that did not come back is tried again. */
const PAUSE_MS = 30_000
/** Work at once, so that no more can hang: it holds memory of blocks, and threads for files, of which a process of Node has four. */
const MOST = 2
const LATE = Symbol('late')

/**
 * Work in a place that may hang (a network's disk, a dying one). It is a cache, and nobody is to wait for it without an end: what takes too
 * long is given up, and nothing else is begun while it hangs, but for one attempt after each pause.
 */
export class TimelyWork {
  readonly #late: (seconds: number) => void
  #running = 0
  #hanging = 0
  #awayUntil = 0
  #waiting: (() => void)[] = []

  /** `late` is called when work has been given up after so many seconds. */
  constructor(late: (seconds: number) => void) {
    this.#late = late
  }

  /** What comes of the work, which never rejects; undefined: it was given up or not begun. */
  async run<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (this.#running >= MOST && !this.#isAway) await new Promise<void>(resolve => this.#waiting.push(resolve))
    if (this.#isAway) return undefined
    this.#running++
    const working = work().finally(() => {
      this.#running--
      this.#wake()
    })
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<typeof LATE>(resolve => {
      timer = setTimeout(resolve, LATE_MS, LATE)
    })
    const first = await Promise.race([working, late])
    clearTimeout(timer)
    if (first !== LATE) return first
    this.#hanging++
    void working.finally(() => this.#hanging--)
    this.#awayUntil = Date.now() + PAUSE_MS
    this.#late(LATE_MS / 1000)
    this.#wake()
    return undefined
  }

  get #isAway(): boolean {
    return this.#hanging > 0 && (this.#hanging >= MOST || Date.now() < this.#awayUntil)
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
