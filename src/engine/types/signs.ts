/**
 * What a thread lets others see of itself, in memory that they share: readable even while the thread runs without end. Kernels
 * always come to an end, however long they take, and a long text takes its time to be cut into tokens; whatever else is under
 * way may be a loop that does not end.
 */
export class Signs {
  readonly shared: SharedArrayBuffer
  readonly #words: Int32Array

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(12)) {
    this.shared = shared
    this.#words = new Int32Array(shared)
  }

  /** Grows with every message that the thread has taken in. */
  get count(): number {
    return Atomics.load(this.#words, 0)
  }

  get computing(): boolean {
    return Atomics.load(this.#words, 1) !== 0
  }

  set computing(now: boolean) {
    Atomics.store(this.#words, 1, now ? 1 : 0)
  }

  /** Grows while a text is cut into tokens. */
  get work(): number {
    return Atomics.load(this.#words, 2)
  }

  showMessage(): void {
    Atomics.add(this.#words, 0, 1)
  }

  showWork(): void {
    Atomics.add(this.#words, 2, 1)
  }
}
