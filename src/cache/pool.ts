import { LatentkitError } from '../errors.ts'
import type { Kernels } from '../kernels/contract.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { CacheLayout } from './layout.ts'

/** The budget for cached tokens is used up. */
export class CacheFullError extends LatentkitError {
  constructor(message: string) {
    super('cache_full', message)
  }
}

/** Memory for a fixed number of tokens in all layers of one group. */
export interface Block {
  readonly group: number
  readonly memory: Tensor
}

/** Hands out blocks and takes them back; returned blocks are handed out again before new memory is asked for. */
export class BlockPool {
  readonly layout: CacheLayout
  readonly #kernels: Kernels
  readonly #maxBytes: number
  readonly #free: Block[][]
  #bytes = 0
  #idleBytes = 0

  /** `maxBytes` bounds the blocks in use and idle together; default: no bound. */
  constructor(kernels: Kernels, layout: CacheLayout, maxBytes = Number.POSITIVE_INFINITY) {
    this.#kernels = kernels
    this.layout = layout
    this.#maxBytes = maxBytes
    this.#free = layout.groups.map(() => [])
  }

  /** Bytes of the blocks in use. */
  get bytes(): number {
    return this.#bytes - this.#idleBytes
  }

  take(group: number): Block {
    const { blockBytes } = this.layout.groups[group] as CacheLayout['groups'][number]
    const idle = this.#free[group]?.pop()
    if (idle) {
      this.#idleBytes -= blockBytes
      return idle
    }
    if (this.#bytes + blockBytes > this.#maxBytes) this.#releaseIdle()
    if (this.#bytes + blockBytes > this.#maxBytes) {
      throw new CacheFullError(
        `The cache holds ${this.#bytes} bytes and one more block of ${blockBytes} would pass its budget of ` +
          `${this.#maxBytes}; end a session or raise the budget.`,
      )
    }
    const memory = this.#kernels.alloc('u8', [blockBytes])
    this.#bytes += blockBytes
    return { group, memory }
  }

  give(block: Block): void {
    this.#free[block.group]?.push(block)
    this.#idleBytes += block.memory.shape[0] as number
  }

  /** Frees idle blocks: another group may need their memory. */
  #releaseIdle(): void {
    for (const list of this.#free) {
      for (const block of list.splice(0)) this.#kernels.free(block.memory)
    }
    this.#bytes -= this.#idleBytes
    this.#idleBytes = 0
  }

  dispose(): void {
    this.#releaseIdle()
  }
}
