import type { Kernels } from '../kernels/contract.ts'
import { type Tensor, view } from '../tensor/tensor.ts'
import type { CacheGroup } from './layout.ts'
import type { Block, BlockPool } from './pool.ts'

/** One group's blocks of one sequence. Blocks before `first` were freed because the window has passed them. */
interface Timeline {
  readonly group: CacheGroup
  /** By block number from position 0; null where freed. */
  readonly blocks: (Block | null)[]
  /** f64: block addresses by block number, for the kernels. */
  readonly table: Tensor
  first: number
}

/** What one sequence remembers: the rows of its tokens 0 .. length, in blocks. */
export class SequenceCache {
  readonly maxTokens: number
  readonly #kernels: Kernels
  readonly #pool: BlockPool
  readonly #timelines: Timeline[]
  #length = 0

  /** `maxTokens` is the most this sequence may hold (its context). */
  constructor(kernels: Kernels, pool: BlockPool, maxTokens: number) {
    this.maxTokens = maxTokens
    this.#kernels = kernels
    this.#pool = pool
    const blocks = Math.max(1, Math.ceil(maxTokens / pool.layout.blockTokens))
    this.#timelines = pool.layout.groups.map(group => ({
      group,
      blocks: [],
      table: kernels.alloc('f64', [blocks]),
      first: 0,
    }))
  }

  /** Tokens cached. */
  get length(): number {
    return this.#length
  }

  /** Bytes of the rows of cached tokens: tokens x layers x row, without those a window has passed. */
  get usedBytes(): number {
    let bytes = 0
    for (const { group, first } of this.#timelines) {
      bytes += Math.max(0, this.#length - first * this.#pool.layout.blockTokens) * group.layers.length * group.rowBytes
    }
    return bytes
  }

  /** Bytes of the allocated blocks. */
  get bytes(): number {
    let bytes = 0
    for (const { group, blocks, first } of this.#timelines) bytes += (blocks.length - first) * group.blockBytes
    return bytes
  }

  /** Address of the group's table of block addresses. */
  table(group: number): number {
    return this.#timeline(group).table.address
  }

  /** First position whose row is still there. */
  keyStart(group: number): number {
    return this.#timeline(group).first * this.#pool.layout.blockTokens
  }

  /** Makes room for `count` more tokens; on CacheFullError nothing has changed. */
  reserve(count: number): void {
    const end = this.#length + count
    if (end > this.maxTokens) {
      throw new RangeError(`SequenceCache.reserve: ${end} tokens exceed the context of ${this.maxTokens}`)
    }
    const needed = Math.ceil(end / this.#pool.layout.blockTokens)
    const taken: [Timeline, Block][] = []
    try {
      for (const timeline of this.#timelines) {
        const group = this.#timelines.indexOf(timeline)
        for (let n = timeline.blocks.length; n < needed; n++) taken.push([timeline, this.#pool.take(group)])
      }
    } catch (error) {
      for (const [, block] of taken) this.#pool.give(block)
      throw error
    }
    for (const [timeline, block] of taken) {
      const n = timeline.blocks.push(block) - 1
      this.#kernels.upload(view(timeline.table, n, [1]), Float64Array.of(block.memory.address))
    }
  }

  /** `count` reserved rows have been written. Frees blocks that every window has passed. */
  commit(count: number): void {
    this.#length += count
    const { blockTokens } = this.#pool.layout
    for (const timeline of this.#timelines) {
      const { window } = timeline.group
      if (window === null) continue
      // The next query, at position `length`, sees keys from length - window + 1 on.
      const passed = Math.floor((this.#length - window + 1) / blockTokens)
      for (; timeline.first < passed; timeline.first++) this.#drop(timeline, timeline.first)
    }
  }

  /** Whether everything a query at `length` would see is still there. */
  canTruncate(length: number): boolean {
    return this.#timelines.every(
      ({ group, first }) =>
        first === 0 || first * this.#pool.layout.blockTokens <= length - (group.window as number) + 1,
    )
  }

  /** Forgets the tokens from `length` on. Ask `canTruncate` before, or truncate to 0. */
  truncate(length: number): void {
    if (length !== 0 && !this.canTruncate(length)) {
      throw new RangeError(`SequenceCache.truncate: rows before position ${length} have left the window`)
    }
    const keep = Math.ceil(length / this.#pool.layout.blockTokens)
    for (const timeline of this.#timelines) {
      for (let n = keep; n < timeline.blocks.length; n++) this.#drop(timeline, n)
      timeline.blocks.length = Math.min(timeline.blocks.length, keep)
      timeline.first = Math.min(timeline.first, keep)
    }
    this.#length = Math.min(this.#length, length)
  }

  dispose(): void {
    this.truncate(0)
    for (const { table } of this.#timelines) this.#kernels.free(table)
    this.#timelines.length = 0
  }

  #drop(timeline: Timeline, n: number): void {
    const block = timeline.blocks[n]
    if (block) this.#pool.give(block)
    timeline.blocks[n] = null
  }

  #timeline(group: number): Timeline {
    return this.#timelines[group] as Timeline
  }
}
