import type { Kernels } from '../kernels/contract/kernels.ts'
import { type Tensor, view } from '../tensor/tensor.ts'
import { copyRows } from './copy-rows.ts'
import type { CacheGroup } from './layout.ts'
import type { Block, BlockPool } from './pool.ts'

/** One group's blocks of one sequence. Blocks before `first` were given up because the window has passed them. */
interface BlockTable {
  readonly group: CacheGroup
  /** By block number from position 0; null where given up. */
  readonly blocks: (Block | null)[]
  /** f64: block addresses by block number, for the kernels. */
  readonly table: Tensor
  first: number
}

/** The first `rows` rows of `from`, still to be copied. */
interface Copy {
  readonly from: Block
  readonly rows: number
}

/**
 * What one sequence remembers: the rows of its tokens 0 .. length, in blocks. Blocks may be shared with other
 * sequences; one that is shared is never written: before it grows, its rows are copied.
 */
export class SequenceCache {
  readonly maxTokens: number
  readonly #kernels: Kernels
  readonly #pool: BlockPool
  readonly #tables: BlockTable[]
  /** By the block that they fill. */
  readonly #copies = new Map<Block, Copy>()
  #length = 0

  /** `maxTokens` is the most this sequence may hold (its context). */
  constructor(kernels: Kernels, pool: BlockPool, maxTokens: number) {
    this.maxTokens = maxTokens
    this.#kernels = kernels
    this.#pool = pool
    const blocks = Math.max(1, Math.ceil(maxTokens / pool.layout.blockTokens))
    this.#tables = pool.layout.groups.map(group => ({
      group,
      blocks: [],
      table: kernels.alloc('f64', [blocks]),
      first: 0,
    }))
  }

  get blockTokens(): number {
    return this.#pool.layout.blockTokens
  }

  /** Tokens cached. */
  get length(): number {
    return this.#length
  }

  /** Bytes of the rows of cached tokens: tokens x layers x row, without those a window has passed. */
  get usedBytes(): number {
    let bytes = 0
    for (const { group, first } of this.#tables) {
      bytes += Math.max(0, this.#length - first * this.blockTokens) * group.rowBytes
    }
    return bytes
  }

  /** Bytes of its blocks, shared ones included. */
  get bytes(): number {
    let bytes = 0
    for (const { group, blocks, first } of this.#tables) bytes += (blocks.length - first) * group.blockBytes
    return bytes
  }

  /** Address of the group's table of block addresses. */
  table(group: number): number {
    return this.#tableOf(group).table.address
  }

  /** First position whose row is still there. */
  keyStart(group: number): number {
    return this.#tableOf(group).first * this.blockTokens
  }

  /** Block number `n` of every group; null where the window has passed it. */
  blocksAt(n: number): (Block | null)[] {
    return this.#tables.map(({ blocks }) => blocks[n] ?? null)
  }

  /** Makes room for `count` more tokens; on CacheFullError nothing has changed. `settle` before they are written. */
  reserve(count: number): void {
    const end = this.#length + count
    if (end > this.maxTokens) {
      throw new RangeError(`SequenceCache.reserve: ${end} tokens exceed the context of ${this.maxTokens}`)
    }
    this.passWindows()
    const needed = Math.ceil(end / this.blockTokens)
    const rows = this.#length % this.blockTokens
    const last = Math.floor(this.#length / this.blockTokens)
    const taken: { blockTable: BlockTable; n: number; block: Block; shared: Block | null }[] = []
    try {
      for (const [group, blockTable] of this.#tables.entries()) {
        const grown = rows > 0 && count > 0 ? blockTable.blocks[last] : null
        const shared = grown && isShared(grown) ? grown : null
        if (shared) taken.push({ blockTable, n: last, block: this.#pool.take(group), shared })
        for (let n = blockTable.blocks.length; n < needed; n++) {
          taken.push({ blockTable, n, block: this.#pool.take(group), shared: null })
        }
      }
    } catch (error) {
      for (const { block } of taken) this.#pool.release(block)
      throw error
    }
    for (const { blockTable, n, block, shared } of taken) {
      if (shared) this.#copies.set(block, { from: shared, rows })
      blockTable.blocks[n] = block
      this.#writeTable(blockTable, n)
    }
  }

  /** Fills the blocks that replace shared ones. */
  async settle(): Promise<void> {
    if (this.#copies.size === 0) return
    for (const [to, { from, rows }] of this.#copies) copyRows(this.#kernels, this.#pool.layout, to, from, rows)
    await this.#kernels.submit()
    for (const { from } of this.#copies.values()) this.#pool.release(from)
    this.#copies.clear()
  }

  /** `count` reserved rows have been written. */
  commit(count: number): void {
    this.#length += count
  }

  /** Gives up blocks that every window has passed. Reserving does so, too: until then the sequence can still go back. */
  passWindows(): void {
    for (const blockTable of this.#tables) {
      const { window } = blockTable.group
      if (window === null) continue
      // The next query, at position `length`, sees keys from length - window + 1 on.
      const passed = Math.floor((this.#length - window + 1) / this.blockTokens)
      for (; blockTable.first < passed; blockTable.first++) this.#drop(blockTable, blockTable.first)
    }
  }

  /**
   * Keeps its blocks before number `start` (ask `canTruncate`), goes on with blocks of others and holds `length` tokens
   * then. `blocks[i]` is block start + i of every group.
   */
  adopt(start: number, blocks: readonly (readonly (Block | null)[])[], length: number): void {
    // Held before anything is released: what nobody holds may be given up.
    for (const block of blocks.flat()) if (block) this.#pool.hold(block)
    this.truncate(start * this.blockTokens)
    for (const [group, blockTable] of this.#tables.entries()) {
      for (const byGroup of blocks) blockTable.blocks.push(byGroup[group] ?? null)
      this.#writeTable(blockTable, start)
    }
    this.#length = length
    this.passWindows()
  }

  /** Goes on with another block of the same bits in place of its own. */
  replace(n: number, block: Block): void {
    const blockTable = this.#tableOf(block.group)
    const own = blockTable.blocks[n]
    if (!own || own === block) return
    this.#pool.hold(block)
    this.#pool.release(own)
    blockTable.blocks[n] = block
    this.#writeTable(blockTable, n)
  }

  /** Another sequence with the same rows; nothing is copied until one of the two grows. */
  fork(): SequenceCache {
    const made = new SequenceCache(this.#kernels, this.#pool, this.maxTokens)
    const blocks = this.#tables[0]?.blocks.length ?? 0
    const filled = (block: Block | null) => (block ? (this.#copies.get(block)?.from ?? block) : null)
    const all = Array.from({ length: blocks }, (_, n) => this.blocksAt(n).map(filled))
    made.adopt(0, all, this.#length)
    return made
  }

  /** Whether everything a query at `length` would see is still there. */
  canTruncate(length: number): boolean {
    return this.#tables.every(
      ({ group, first }) => first === 0 || first * this.blockTokens <= length - (group.window as number) + 1,
    )
  }

  /** Forgets the tokens from `length` on. Ask `canTruncate` before, or truncate to 0. */
  truncate(length: number): void {
    if (length !== 0 && !this.canTruncate(length)) {
      throw new RangeError(`SequenceCache.truncate: rows before position ${length} have left the window`)
    }
    const keep = Math.ceil(length / this.blockTokens)
    const most = Math.max(...this.#tables.map(({ blocks }) => blocks.length))
    // From the end to the start: what was released first is given up first, and has nothing behind it.
    for (let n = most - 1; n >= keep; n--) for (const blockTable of this.#tables) this.#drop(blockTable, n)
    for (const blockTable of this.#tables) {
      blockTable.blocks.length = Math.min(blockTable.blocks.length, keep)
      blockTable.first = Math.min(blockTable.first, keep)
    }
    this.#length = Math.min(this.#length, length)
  }

  dispose(): void {
    this.truncate(0)
    for (const { table } of this.#tables) this.#kernels.free(table)
    this.#tables.length = 0
  }

  #drop(blockTable: BlockTable, n: number): void {
    const block = blockTable.blocks[n]
    if (!block) return
    const copy = this.#copies.get(block)
    if (copy) this.#pool.release(copy.from)
    this.#copies.delete(block)
    this.#pool.release(block)
    blockTable.blocks[n] = null
  }

  /** Tells the kernels the addresses of blocks `from` to the last. */
  #writeTable({ blocks, table }: BlockTable, from: number): void {
    const addresses = Float64Array.from(blocks.slice(from), block => block?.memory.address ?? 0)
    if (addresses.length > 0) this.#kernels.upload(view(table, from, [addresses.length]), addresses)
  }

  #tableOf(group: number): BlockTable {
    return this.#tables[group] as BlockTable
  }
}

/** Others may read it, now or later. */
function isShared({ holders, keeper }: Block): boolean {
  return holders > 1 || keeper !== null
}
