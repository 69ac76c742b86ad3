import { defineError, type LatentkitError, OutOfMemoryError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { CacheLayout } from './layout.ts'

/** The budget for cached tokens is used up. */
export const CacheFullError = defineError('CacheFullError', 'cache_full')
export type CacheFullError = LatentkitError

/** Memory for `blockTokens` tokens in all layers of one group. Only the pool changes these fields. */
export interface Block {
  readonly group: number
  /** By which kernels find it. */
  readonly id: number
  readonly memory: Tensor
  /** Number of sequences that hold it. */
  readonly holders: number
  /** Optional owner that wants the block kept after its last release; notified on eviction. */
  readonly keeper: Keeper | null
}

export interface Keeper {
  /** The block's memory has been given up. */
  evicted(block: Block): void
}

export interface PoolOptions {
  /** Bound on all blocks together: held, kept and idle. Default: none. */
  readonly maxBytes?: number
  /** Bound on kept blocks. Default: `maxBytes`. */
  readonly maxKeptBytes?: number
}

type MutableBlock = { -readonly [K in keyof Block]: Block[K] }

/**
 * Hands out blocks and counts their holders. A block without holders is *kept* if it has a keeper, until its memory is
 * needed (least recently released first); without a keeper it is *idle*, and idle blocks are handed out first.
 */
export class BlockPool {
  readonly layout: CacheLayout
  readonly #kernels: Kernels
  readonly #maxBytes: number
  readonly #maxKeptBytes: number
  readonly #idle: MutableBlock[][]
  /** In order of release, oldest first. */
  readonly #kept = new Set<MutableBlock>()
  #allocatedBytes = 0
  #idleBytes = 0
  #keptBytes = 0

  constructor(kernels: Kernels, layout: CacheLayout, options: PoolOptions = {}) {
    const { maxBytes = Number.POSITIVE_INFINITY, maxKeptBytes = Number.POSITIVE_INFINITY } = options
    this.#kernels = kernels
    this.layout = layout
    this.#maxBytes = maxBytes
    this.#maxKeptBytes = maxKeptBytes
    this.#idle = layout.groups.map(() => [])
  }

  /** Bytes of held blocks; a shared block counts once. */
  get bytes(): number {
    return this.#allocatedBytes - this.#idleBytes - this.#keptBytes
  }

  /** Bytes of kept blocks: without holders, ready for later prompts. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  /** Bytes of all blocks: held, kept and idle. */
  get allocatedBytes(): number {
    return this.#allocatedBytes
  }

  /** A block with one holder; its memory is not cleared. Throws CacheFullError, OutOfMemoryError. */
  take(group: number): Block {
    const block = this.#idle[group]?.pop() ?? this.#make(group)
    this.#idleBytes -= this.#sizeOf(block)
    block.holders = 1
    return block
  }

  hold(block: Block): void {
    const own = block as MutableBlock
    if (own.holders++ > 0) return
    this.#kept.delete(own)
    this.#keptBytes -= this.#sizeOf(own)
  }

  release(block: Block): void {
    const own = block as MutableBlock
    if (--own.holders > 0) return
    if (!own.keeper) {
      this.#makeIdle(own)
      return
    }
    this.#kept.add(own)
    this.#keptBytes += this.#sizeOf(own)
    while (this.#keptBytes > this.#maxKeptBytes) this.#evict()
  }

  /** Sets the keeper of a held block: after its last release it is kept. */
  keep(block: Block, keeper: Keeper): void {
    ;(block as MutableBlock).keeper = keeper
  }

  /** Makes every kept block idle. */
  evictAll(): void {
    while (this.#kept.size > 0) this.#evict()
  }

  dispose(): void {
    this.evictAll()
    this.#freeIdle()
  }

  /** Creates an idle block, or makes one of those that are kept. */
  #make(group: number): MutableBlock {
    const bytes = this.layout.groups[group]?.blockBytes as number
    while (this.#allocatedBytes + bytes > this.#maxBytes) {
      if (!this.#freeSome(group)) throw this.#full(bytes)
      const idle = this.#idle[group]?.pop()
      if (idle) return idle
    }
    for (;;) {
      try {
        const { id, memory } = this.#kernels.memory.allocBlock(bytes)
        this.#allocatedBytes += bytes
        this.#idleBytes += bytes
        return { group, id, memory, holders: 0, keeper: null }
      } catch (error) {
        // The machine's memory is a budget too.
        if (!(error instanceof OutOfMemoryError) || !this.#freeSome(group)) throw error
        const idle = this.#idle[group]?.pop()
        if (idle) return idle
      }
    }
  }

  /** Frees idle memory of other groups, or makes the oldest kept block idle. False if there is neither. */
  #freeSome(group: number): boolean {
    if (this.#idleBytes > 0 && this.#idle[group]?.length === 0) this.#freeIdle()
    else if (this.#kept.size > 0) this.#evict()
    else return false
    return true
  }

  #evict(): void {
    const [oldest] = this.#kept
    if (!oldest) return
    this.#kept.delete(oldest)
    this.#keptBytes -= this.#sizeOf(oldest)
    const { keeper } = oldest
    oldest.keeper = null
    this.#makeIdle(oldest)
    keeper?.evicted(oldest)
  }

  #makeIdle(block: MutableBlock): void {
    this.#idle[block.group]?.push(block)
    this.#idleBytes += this.#sizeOf(block)
  }

  #freeIdle(): void {
    for (const list of this.#idle) {
      for (const block of list.splice(0)) this.#kernels.memory.freeBlock(block)
    }
    this.#allocatedBytes -= this.#idleBytes
    this.#idleBytes = 0
  }

  #sizeOf(block: Block): number {
    return block.memory.shape[0] as number
  }

  #full(bytes: number): CacheFullError {
    return new CacheFullError(
      `Sessions hold ${this.bytes} bytes of cache and one more block of ${bytes} would pass the budget of ` +
        `${this.#maxBytes} (cacheBytes); end a session or raise the budget.`,
    )
  }
}
