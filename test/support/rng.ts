/** A seeded source of random numbers: the same seed gives the same numbers on every machine. */
export class Rng {
  #state: number

  constructor(seed: number | string) {
    this.#state = typeof seed === 'number' ? seed >>> 0 : hash(seed)
  }

  /** In [0, 1), by mulberry32. */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }

  /** 0 .. n - 1. */
  below(n: number): number {
    return Math.floor(this.uniform() * n)
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  normals(n: number, scale = 1, offset = 0): Float32Array {
    const values = new Float32Array(n)
    for (let i = 0; i < n; i++) values[i] = offset + scale * this.normal()
    return values
  }

  bytes(n: number): Uint8Array {
    const bytes = new Uint8Array(n)
    for (let i = 0; i < n; i++) bytes[i] = this.below(256)
    return bytes
  }

  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items]
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[order[i], order[j]] = [order[j]!, order[i]!]
    }
    return order
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
