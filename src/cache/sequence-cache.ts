import type { Kernels } from '../kernels/contract/kernels.ts'
import { copyRows } from './copy-rows.ts'
import type { CacheGroup } from './layout.ts'
import type { Block, BlockPool } from './pool.ts'

/** One sequence's blocks of one group. Blocks before `first` were released because the window has passed them. */
interface BlockTable {
  readonly group: CacheGroup
  /** By block index from position 0; null if released. */
  readonly blocks: (Block | null)[]
  first: number
}

/** A pending copy of the first `rows` rows of `from`. */
interface Copy {
  readonly from: Block
  readonly rows: number
}

/** Rows of a block: one id and provenance each, and the memory of each group, null where a window has passed it. */
export interface FilledBlock {
  readonly ids: readonly number[]
  readonly provenance: readonly number[]
  readonly blocks: readonly (Block | null)[]
}

/**
 * The cached rows of one sequence, for its tokens 0 .. length, in blocks, and of each row the token's id and its provenance
 * (how it was computed, as flags). Blocks may be shared with other sequences. A shared block is never written: before it
 * grows, its rows are copied into a new one (copy on write).
 */
export class SequenceCache {
  readonly maxTokens: number
  readonly #kernels: Kernels
  readonly #pool: BlockPool
  #tables: BlockTable[]
  /** By target block. */
  #copies = new Map<Block, Copy>()
  #ids: number[] = []
  #provenance: number[] = []

  /** `maxTokens`: the context, the most tokens that this sequence may hold. */
  constructor(kernels: Kernels, pool: BlockPool, maxTokens: number) {
    this.maxTokens = maxTokens
    this.#kernels = kernels
    this.#pool = pool
    this.#tables = pool.layout.groups.map(group => ({ group, blocks: [], first: 0 }))
  }

  get blockTokens(): number {
    return this.#pool.layout.blockTokens
  }

  /** Number of cached tokens. */
  get length(): number {
    return this.#ids.length
  }

  /** Of the cached rows, one each. */
  get ids(): readonly number[] {
    return this.#ids
  }

  get provenance(): readonly number[] {
    return this.#provenance
  }

  /** Bytes of the cached rows: tokens x layers x row, without rows that a window has passed. */
  get usedBytes(): number {
    let bytes = 0
    for (const { group, first } of this.#tables) {
      bytes += Math.max(0, this.length - first * this.blockTokens) * group.rowBytes
    }
    return bytes
  }

  /** Bytes of its blocks, shared ones included. */
  get bytes(): number {
    let bytes = 0
    for (const { group, blocks, first } of this.#tables) bytes += (blocks.length - first) * group.blockBytes
    return bytes
  }

  /** The group's block table as the kernels read it: ids by block index, 0 where released. */
  blockIds(group: number): Int32Array {
    const { blocks } = this.#tableOf(group)
    const ids = new Int32Array(blocks.length)
    for (let n = 0; n < ids.length; n++) ids[n] = blocks[n]?.id ?? 0
    return ids
  }

  /** First position whose row still exists. */
  keyStart(group: number): number {
    return this.#tableOf(group).first * this.blockTokens
  }

  /** Block `n` of every group; null where the window has passed it. */
  blocksAt(n: number): (Block | null)[] {
    return this.#tables.map(({ blocks }) => blocks[n] ?? null)
  }

  /** Rows and memory of block `n`; the last block may be filled in part. */
  filledBlock(n: number): FilledBlock {
    const rows = [n * this.blockTokens, (n + 1) * this.blockTokens] as const
    return { ids: this.#ids.slice(...rows), provenance: this.#provenance.slice(...rows), blocks: this.blocksAt(n) }
  }

  /** Makes room for `count` more tokens; after CacheFullError nothing has changed. Call `settle` before writing them. */
  reserve(count: number): void {
    const end = this.length + count
    if (end > this.maxTokens) {
      throw new RangeError(`SequenceCache.reserve: ${end} tokens exceed the context of ${this.maxTokens}`)
    }
    this.passWindows()
    const needed = Math.ceil(end / this.blockTokens)
    const rows = this.length % this.blockTokens
    const last = Math.floor(this.length / this.blockTokens)
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
    }
  }

  /** Whether shared blocks are still to be copied: `settle` does it. */
  get hasCopies(): boolean {
    return this.#copies.size > 0
  }

  /** Runs the pending copies of shared blocks. */
  async settle(): Promise<void> {
    for (const [to, { from, rows }] of this.#copies) copyRows(this.#kernels, this.#pool.layout, to, from, rows)
    await this.#kernels.submit()
    for (const { from } of this.#copies.values()) this.#pool.release(from)
    this.#copies.clear()
  }

  /** Counts the reserved rows of these tokens as written. */
  commit(ids: ArrayLike<number>, provenance: ArrayLike<number>): void {
    for (let i = 0; i < ids.length; i++) {
      this.#ids.push(ids[i] as number)
      this.#provenance.push(provenance[i] as number)
    }
  }

  /** Releases blocks that the window has passed. `reserve` does so too; until then the sequence can still be truncated. */
  passWindows(): void {
    for (const blockTable of this.#tables) {
      const { window } = blockTable.group
      if (window === null) continue
      // The next query, at position `length`, sees keys from length - window + 1 on.
      const passed = Math.floor((this.length - window + 1) / this.blockTokens)
      for (; blockTable.first < passed; blockTable.first++) this.#drop(blockTable, blockTable.first)
    }
  }

  /**
   * Replaces all blocks from index `start` on (check `canTruncate` first) by blocks of other sequences; the length
   * becomes `length` tokens. `filled[i]` is block start + i.
   */
  adopt(start: number, filled: readonly FilledBlock[], length: number): void {
    // Hold before releasing: a block without holders may be evicted.
    for (const { blocks } of filled) for (const block of blocks) if (block) this.#pool.hold(block)
    this.truncate(start * this.blockTokens)
    for (const [group, blockTable] of this.#tables.entries()) {
      for (const { blocks } of filled) blockTable.blocks.push(blocks[group] ?? null)
    }
    for (const { ids, provenance } of filled) this.commit(ids, provenance)
    this.#forget(length)
    this.passWindows()
  }

  /** Replaces block `n` by another one with the same bits. */
  replace(n: number, block: Block): void {
    const blockTable = this.#tableOf(block.group)
    const own = blockTable.blocks[n]
    if (!own || own === block) return
    this.#pool.hold(block)
    this.#pool.release(own)
    blockTable.blocks[n] = block
  }

  /** A second sequence with the same rows; nothing is copied until one of the two grows. */
  fork(): SequenceCache {
    const copy = new SequenceCache(this.#kernels, this.#pool, this.maxTokens)
    const blocks = this.#tables[0]?.blocks.length ?? 0
    const source = (block: Block | null) => (block ? (this.#copies.get(block)?.from ?? block) : null)
    const all = Array.from({ length: blocks }, (_, n): FilledBlock => {
      const filled = this.filledBlock(n)
      return { ...filled, blocks: filled.blocks.map(source) }
    })
    copy.adopt(0, all, this.length)
    return copy
  }

  /** Replaces its rows by those of `other`, which must not be used any more. */
  takeOver(other: SequenceCache): void {
    this.dispose()
    this.#tables = other.#tables
    this.#copies = other.#copies
    this.#ids = other.#ids
    this.#provenance = other.#provenance
  }

  /** Whether all rows that a query at `length` would see still exist. */
  canTruncate(length: number): boolean {
    return this.#tables.every(
      ({ group, first }) => first === 0 || first * this.blockTokens <= length - (group.window as number) + 1,
    )
  }

  /** Drops the tokens from `length` on. Check `canTruncate` first, or truncate to 0. */
  truncate(length: number): void {
    if (length !== 0 && !this.canTruncate(length)) {
      throw new RangeError(`SequenceCache.truncate: rows before position ${length} have left the window`)
    }
    const keep = Math.ceil(length / this.blockTokens)
    const most = Math.max(...this.#tables.map(({ blocks }) => blocks.length))
    // From last to first: the pool evicts in order of release, and a block should go before those that it follows.
    for (let n = most - 1; n >= keep; n--) for (const blockTable of this.#tables) this.#drop(blockTable, n)
    for (const blockTable of this.#tables) {
      blockTable.blocks.length = Math.min(blockTable.blocks.length, keep)
      blockTable.first = Math.min(blockTable.first, keep)
    }
    this.#forget(length)
  }

  dispose(): void {
    this.truncate(0)
    this.#tables.length = 0
  }

  #forget(length: number): void {
    this.#ids.length = Math.min(this.#ids.length, length)
    this.#provenance.length = this.#ids.length
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

  #tableOf(group: number): BlockTable {
    return this.#tables[group] as BlockTable
  }
}

/** Another sequence may read it, now or later. */
function isShared({ holders, keeper }: Block): boolean {
  return holders > 1 || keeper !== null
}
