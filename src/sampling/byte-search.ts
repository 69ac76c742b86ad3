/** Finds several texts at once in a stream of bytes (Aho and Corasick 1975). A state is a number; 0 is the beginning. */
export class ByteSearch {
  /** Class of each byte: those that no text has are one class. */
  readonly #classes = new Uint16Array(256)
  readonly #width: number
  /** Next state by state and class. */
  readonly #next: Int32Array
  /** Whether a text ends in the state. */
  readonly #ends: Uint8Array

  constructor(texts: readonly Uint8Array[]) {
    let classes = 1
    for (const text of texts) for (const byte of text) this.#classes[byte] ||= classes++
    this.#width = classes
    const most = 1 + texts.reduce((n, text) => n + text.length, 0)
    this.#next = new Int32Array(most * classes)
    this.#ends = new Uint8Array(most)
    this.#build(texts)
  }

  /** The state after `bytes`; `found` is called if a text ends in one of them. */
  run(state: number, bytes: Uint8Array, found?: () => void): number {
    let at = state
    let ended = false
    for (const byte of bytes) {
      at = this.#next[at * this.#width + this.#classes[byte]!]!
      if (this.#ends[at] === 1) ended = true
    }
    if (ended) found?.()
    return at
  }

  /** Whether a text ends within `bytes`, a range of `from`. */
  finds(state: number, from: Uint8Array, start: number, end: number): boolean {
    let at = state
    for (let i = start; i < end; i++) {
      at = this.#next[at * this.#width + this.#classes[from[i]!]!]!
      if (this.#ends[at] === 1) return true
    }
    return false
  }

  #build(texts: readonly Uint8Array[]): void {
    const width = this.#width
    const next = this.#next
    let states = 1
    for (const text of texts) {
      let at = 0
      for (const byte of text) {
        const edge = at * width + this.#classes[byte]!
        if (next[edge] === 0) next[edge] = states++
        at = next[edge]!
      }
      if (text.length > 0) this.#ends[at] = 1
    }
    // In order of depth: a state's missing edges are those of its longest proper suffix.
    const suffix = new Int32Array(states)
    const queue = [0]
    for (let i = 0; i < queue.length; i++) {
      const at = queue[i]!
      const fallback = suffix[at]!
      for (let c = 1; c < width; c++) {
        const to = next[at * width + c]!
        const otherwise = at === 0 ? 0 : next[fallback * width + c]!
        if (to === 0) next[at * width + c] = otherwise
        else {
          suffix[to] = otherwise
          if (this.#ends[otherwise] === 1) this.#ends[to] = 1
          queue.push(to)
        }
      }
    }
  }
}
