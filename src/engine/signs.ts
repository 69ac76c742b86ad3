/**
 * What a thread lets others see of itself, in memory that they share: readable even while the thread runs without end. Kernels
 * always come to an end, however long they take; whatever else is under way may be a regular expression that does not.
 */
export class Signs {
  readonly shared: SharedArrayBuffer
  readonly #words: Int32Array

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(8)) {
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

  show(): void {
    Atomics.add(this.#words, 0, 1)
  }
}
