import { sourceGroup } from './layout.ts'
import type { Block, BlockPool } from './pool.ts'

/**
 * The rows of a source text that a decoder's cross-attention reads: keys and values of each of its layers, computed once from what the
 * encoder made of the text. All sequences that write from the source share them; they are never written again, and freed when the last
 * one lets go.
 */
export class SourceRows {
  /** Of the source's tokens. */
  readonly ids: readonly number[]
  readonly #pool: BlockPool
  readonly #group: number
  #blocks: Block[] = []
  #holders = 0
  #computed = false

  constructor(pool: BlockPool, ids: readonly number[]) {
    this.#pool = pool
    this.#group = sourceGroup(pool.layout)
    this.ids = ids
  }

  /** Number of tokens. */
  get length(): number {
    return this.ids.length
  }

  /** The rows hold numbers; false: they are still to be computed. */
  get computed(): boolean {
    return this.#computed
  }

  get usedBytes(): number {
    return this.#computed ? this.length * (this.#pool.layout.groups[this.#group]?.rowBytes ?? 0) : 0
  }

  get bytes(): number {
    return this.#blocks.length * (this.#pool.layout.groups[this.#group]?.blockBytes ?? 0)
  }

  /** As the kernels read it. */
  blockIds(): Int32Array {
    return Int32Array.from(this.#blocks, ({ id }) => id)
  }

  /** One more holder: makes room for the rows if it is the first. Throws CacheFullError, after which nothing has changed. */
  hold(): void {
    if (this.#holders === 0) this.#reserve()
    this.#holders++
  }

  /** The rows are there now. */
  commit(): void {
    this.#computed = true
  }

  release(): void {
    if (--this.#holders > 0) return
    for (const block of this.#blocks.splice(0)) this.#pool.release(block)
    this.#computed = false
  }

  #reserve(): void {
    const needed = Math.ceil(this.length / this.#pool.layout.blockTokens)
    const taken: Block[] = []
    try {
      while (taken.length < needed) taken.push(this.#pool.take(this.#group))
    } catch (error) {
      for (const block of taken) this.#pool.release(block)
      throw error
    }
    this.#blocks = taken
  }
}
