import type { Kernels } from '../kernels/contract/kernels.ts'
import { copyRows } from './copy-rows.ts'
import type { CacheGroup } from './layout.ts'
import type { Block, BlockPool } from './pool.ts'
import { SequenceStates } from './sequence-states.ts'
import type { SourceRows } from './source-rows.ts'

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

/** Rows of a block: one id and provenance each, and their memory. */
export interface FilledBlock {
  readonly ids: readonly number[]
  readonly provenance: readonly number[]
  /** By group of the layout: null where a window has passed it, where no state is kept, and for the source's rows, which are no part of it. */
  readonly blocks: readonly (Block | null)[]
}

/**
 * The cached rows of one sequence, for its tokens 0 .. length, in blocks, and of each row the token's id and its provenance
 * (how it was computed, as flags). Blocks may be shared with other sequences. A shared block is never written: before it
 * grows, its rows are copied into a new one (copy on write). Where layers carry states in place of keys, it can go back only to
 * lengths whose state it still has. Beside them, the rows of the source text that cross-attention reads.
 */
export class SequenceCache {
  readonly maxTokens: number
  readonly #kernels: Kernels
  readonly #pool: BlockPool
  /** Of the groups that hold rows of the text, which come first. */
  #tables: BlockTable[]
  /** null: all layers keep rows. */
  #states: SequenceStates | null
  /** By target block. */
  #copies = new Map<Block, Copy>()
  #ids: number[] = []
  #provenance: number[] = []
  #source: SourceRows | null = null
  /** The source's rows are held. */
  #holdsSource = false

  /** `maxTokens`: the context, the most tokens that this sequence may hold. */
  constructor(kernels: Kernels, pool: BlockPool, maxTokens: number) {
    this.maxTokens = maxTokens
    this.#kernels = kernels
    this.#pool = pool
    const ofText = pool.layout.groups.filter(group => !group.states && !group.ofSource)
    this.#tables = ofText.map(group => ({ group, blocks: [], first: 0 }))
    this.#states = SequenceStates.of(pool)
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

  /**
   * Bytes of the cached rows: tokens x layers x row, without rows that a window has passed; of the state after them; and of the
   * source's rows.
   */
  get usedBytes(): number {
    let bytes = this.length > 0 ? (this.#states?.group.blockBytes ?? 0) : 0
    for (const { group, first } of this.#tables) {
      bytes += Math.max(0, this.length - first * this.blockTokens) * group.rowBytes
    }
    return bytes + (this.#holdsSource ? (this.#source?.usedBytes ?? 0) : 0)
  }

  /** Bytes of its blocks, shared ones included. */
  get bytes(): number {
    let bytes = this.#states?.bytes ?? 0
    for (const { group, blocks, first } of this.#tables) bytes += (blocks.length - first) * group.blockBytes
    return bytes + (this.#holdsSource ? (this.#source?.bytes ?? 0) : 0)
  }

  /** What cross-attention reads; null: nothing. */
  get source(): SourceRows | null {
    return this.#source
  }

  /** From now on it stands on another source; its own rows, which have seen the one before, are forgotten. */
  readFrom(source: SourceRows): void {
    this.truncate(0)
    this.#source = source
  }

  /** The group's block table as the kernels read it: ids by block index, 0 where released; of states those of the next step. */
  blockIds(group: number): Int32Array {
    const table = this.#tables[group]
    if (!table) {
      const states = this.#pool.layout.groups[group]?.states
      return (states ? this.#states?.table(this.length) : this.#source?.blockIds()) ?? new Int32Array()
    }
    const { blocks } = table
    const ids = new Int32Array(blocks.length)
    for (let n = 0; n < ids.length; n++) ids[n] = blocks[n]?.id ?? 0
    return ids
  }

  /** First position whose row still exists. */
  keyStart(group: number): number {
    return (this.#tables[group]?.first ?? 0) * this.blockTokens
  }

  /** Memory of block `n` by group of the layout, as in `FilledBlock`; of states the one at its end. */
  blocksAt(n: number): (Block | null)[] {
    return this.#pool.layout.groups.map(({ states }, group) => {
      if (states) return this.#states?.at(this.#endOf(n)) ?? null
      return this.#tables[group]?.blocks[n] ?? null
    })
  }

  /** Rows and memory of block `n`; the last block may be filled in part. */
  filledBlock(n: number): FilledBlock {
    const rows = [n * this.blockTokens, (n + 1) * this.blockTokens] as const
    return { ids: this.#ids.slice(...rows), provenance: this.#provenance.slice(...rows), blocks: this.blocksAt(n) }
  }

  /** A full block as other sequences are to find it. */
  sharedBlock(n: number): FilledBlock {
    const filled = this.filledBlock(n)
    if (!this.#states || this.#states.isShared(this.#endOf(n), this.length)) return filled
    return { ...filled, blocks: filled.blocks.with(this.#states.index, null) }
  }

  /** The state at this end of a block is kept when the sequence comes by: others share the rows before it, without a state. */
  wantState(end: number): void {
    this.#states?.want(end)
  }

  /** Tokens after which block `n` ends in this sequence. */
  #endOf(n: number): number {
    return Math.min((n + 1) * this.blockTokens, this.length)
  }

  /** Makes room for `count` more tokens; after CacheFullError nothing has changed. Call `settle` before writing them. */
  reserve(count: number): void {
    const end = this.length + count
    if (end > this.maxTokens) {
      throw new RangeError(`SequenceCache.reserve: ${end} tokens exceed the context of ${this.maxTokens}`)
    }
    this.passWindows()
    const holds = this.#holdSource()
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
      this.#states?.reserve(this.length, count)
    } catch (error) {
      for (const { block } of taken) this.#pool.release(block)
      if (holds) this.#letGoOfSource()
      throw error
    }
    for (const { blockTable, n, block, shared } of taken) {
      if (shared) this.#copies.set(block, { from: shared, rows })
      blockTable.blocks[n] = block
    }
  }

  /** Some layers carry a state in place of keys. */
  get hasStates(): boolean {
    return this.#states !== null
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

  /** Counts the reserved rows of these tokens as written, and what they have made of the state. */
  commit(ids: ArrayLike<number>, provenance: ArrayLike<number>): void {
    this.#states?.commit(this.length, this.length + ids.length)
    this.#append(ids, provenance)
  }

  #append(ids: ArrayLike<number>, provenance: ArrayLike<number>): void {
    for (let i = 0; i < ids.length; i++) {
      this.#ids.push(ids[i] as number)
      this.#provenance.push(provenance[i] as number)
    }
  }

  /** Releases blocks that the window has passed. `reserve` does so too; until then the sequence can still be truncated. */
  passWindows(): void {
    this.#states?.pass(this.length)
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
    for (const group of this.#tables.keys()) {
      for (const { blocks } of filled) if (blocks[group]) this.#pool.hold(blocks[group])
    }
    const state = (this.#states && filled.at(-1)?.blocks[this.#states.index]) ?? null
    if (state) this.#pool.hold(state)
    this.#cut(start * this.blockTokens)
    for (const [group, blockTable] of this.#tables.entries()) {
      for (const { blocks } of filled) blockTable.blocks.push(blocks[group] ?? null)
    }
    for (const { ids, provenance } of filled) this.#append(ids, provenance)
    this.#forget(length)
    if (filled.length > 0) this.#states?.adopt(length, state)
    if (length === 0) this.#letGoOfSource()
    this.passWindows()
  }

  /** Replaces block `n` by another one with the same bits. */
  replace(n: number, block: Block): void {
    const blockTable = this.#tables[block.group]
    if (!blockTable) {
      this.#states?.replace(this.#endOf(n), block)
      return
    }
    const own = blockTable.blocks[n]
    if (!own || own === block) return
    this.#pool.hold(block)
    this.#pool.release(own)
    blockTable.blocks[n] = block
  }

  /** A second sequence with the same rows; nothing is copied until one of the two grows. */
  fork(): SequenceCache {
    const copy = new SequenceCache(this.#kernels, this.#pool, this.maxTokens)
    const blocks = Math.ceil(this.length / this.blockTokens)
    const source = (block: Block | null) => (block ? (this.#copies.get(block)?.from ?? block) : null)
    const all = Array.from({ length: blocks }, (_, n): FilledBlock => {
      const filled = this.filledBlock(n)
      return { ...filled, blocks: filled.blocks.map(source) }
    })
    copy.adopt(0, all, this.length)
    copy.#source = this.#source
    if (this.#holdsSource) copy.#holdSource()
    return copy
  }

  /** Replaces its rows by those of `other`, which must not be used any more. */
  takeOver(other: SequenceCache): void {
    this.dispose()
    this.#tables = other.#tables
    this.#states = other.#states
    this.#copies = other.#copies
    this.#ids = other.#ids
    this.#provenance = other.#provenance
    this.#source = other.#source
    this.#holdsSource = other.#holdsSource
  }

  /** Whether all rows that a query at `length` would see still exist, and the state there. */
  canTruncate(length: number): boolean {
    return (!this.#states || length === 0 || this.#states.at(length) !== null) && this.#seesAll(length)
  }

  /** The most tokens, up to `length`, that it can be truncated to. */
  reachable(length: number): number {
    if (length >= this.length) return this.length
    const most = this.#states ? this.#states.reachable(length) : length
    return this.canTruncate(most) ? most : 0
  }

  #seesAll(length: number): boolean {
    return this.#tables.every(
      ({ group, first }) => first === 0 || first * this.blockTokens <= length - (group.window as number) + 1,
    )
  }

  /** Drops the tokens from `length` on, and with the last one the source's rows. Check `canTruncate` first, or truncate to 0. */
  truncate(length: number): void {
    this.#cut(length)
    if (length === 0) this.#letGoOfSource()
  }

  #cut(length: number): void {
    if (length !== 0 && !this.canTruncate(length)) {
      throw new RangeError(`SequenceCache.truncate: rows or the state before position ${length} are not there any more`)
    }
    const keep = Math.ceil(length / this.blockTokens)
    this.#states?.truncate(length)
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

  /** Whether it was not held before. Throws CacheFullError. */
  #holdSource(): boolean {
    if (!this.#source || this.#holdsSource) return false
    this.#source.hold()
    this.#holdsSource = true
    return true
  }

  #letGoOfSource(): void {
    if (!this.#holdsSource) return
    this.#holdsSource = false
    this.#source?.release()
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
}

/** Another sequence may read it, now or later. */
function isShared({ holders, keeper }: Block): boolean {
  return holders > 1 || keeper !== null
}
