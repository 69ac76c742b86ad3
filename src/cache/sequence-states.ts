import type { CacheGroup, CacheLayout } from './layout.ts'
import { type Block, type BlockPool, CacheFullError } from './pool.ts'

/** A step of more tokens reads a prompt, whose ends of blocks other prompts may begin with. */
const WRITTEN_TOKENS = 16

/**
 * The states of one sequence, of layers that carry one in place of keys, each in a block of its own: the state after all of its
 * tokens; after a step also the one before it, so that guesses can be taken back, and those at ends of blocks, until they are
 * shared. A state is never changed: a step reads one and writes others, so a step that fails has spoiled nothing.
 */
export class SequenceStates {
  readonly group: CacheGroup
  /** The group's place in the layout. */
  readonly index: number
  readonly #pool: BlockPool
  readonly #blockTokens: number
  /** Ends of blocks are kept every so many blocks: where states are large, they would take more memory than rows. */
  readonly #every: number
  /** By the number of tokens that the state has seen, ascending. */
  #kept = new Map<number, Block>()
  /** The same, of states that the next step writes. */
  #next = new Map<number, Block>()
  /** Tokens before the last step. */
  #before = 0
  /** An end of a block that others share without a state. */
  #wanted = 0

  /** Null for models whose layers all keep rows. */
  static of(pool: BlockPool): SequenceStates | null {
    const index = pool.layout.groups.findIndex(group => group.states)
    return index < 0 ? null : new SequenceStates(pool, index)
  }

  private constructor(pool: BlockPool, index: number) {
    const { layout } = pool
    this.group = layout.groups[index] as CacheGroup
    this.#pool = pool
    this.index = index
    this.#blockTokens = layout.blockTokens
    this.#every = blocksPerState(layout, this.group)
  }

  /** The state after `length` tokens; null: it is not there. */
  at(length: number): Block | null {
    return this.#kept.get(length) ?? null
  }

  /** The most tokens, up to `length`, whose state is there; 0 needs none. */
  reachable(length: number): number {
    return Math.max(0, ...[...this.#kept.keys()].filter(tokens => tokens <= length))
  }

  /** Bytes of all states. */
  get bytes(): number {
    return (this.#kept.size + this.#next.size) * this.group.blockBytes
  }

  /** The state at this end of a block is kept when the sequence comes by. */
  want(end: number): void {
    this.#wanted = end
  }

  /** Makes room for the states of a step of `count` tokens. Throws CacheFullError. */
  reserve(length: number, count: number): void {
    const end = length + count
    const ends = count > 0 ? [...new Set([...this.#keptEnds(length, end), end])] : []
    for (const [tokens, block] of this.#next) {
      if (ends.includes(tokens)) continue
      this.#pool.release(block)
      this.#next.delete(tokens)
    }
    // What must be there first.
    for (const tokens of ends.reverse()) {
      if (this.#next.has(tokens)) continue
      try {
        this.#next.set(tokens, this.#pool.take(this.index))
      } catch (error) {
        if (tokens === end || !(error instanceof CacheFullError)) throw error
      }
    }
  }

  /** As the kernels read it (`StatePlace`): the block of the state now, and those that the step writes; 0: none. */
  table(length: number): Int32Array {
    const bt = this.#blockTokens
    const end = Math.max(length, ...this.#next.keys())
    const first = Math.floor(length / bt)
    const blocks = end > length ? Math.floor((end - 1) / bt) - first + 1 : 0
    const ids = new Int32Array(1 + blocks)
    const now = this.#kept.get(length)
    if (!now && length > 0) throw new TypeError(`SequenceStates: there is no state after ${length} tokens`)
    ids[0] = now?.id ?? 0
    for (let n = 0; n < blocks; n++) ids[1 + n] = this.#next.get(Math.min((first + n + 1) * bt, end))?.id ?? 0
    return ids
  }

  /** The step has been run: its states are the sequence's. */
  commit(length: number, end: number): void {
    this.#before = length
    for (const [tokens, block] of [...this.#next].sort(([a], [b]) => a - b)) {
      if (tokens <= end) this.#kept.set(tokens, block)
      else this.#pool.release(block)
    }
    this.#next.clear()
  }

  /** Whether the state after `tokens` of `length` tokens is one that other sequences are to find. */
  isShared(tokens: number, length: number): boolean {
    return tokens < length || this.#keptEnds(this.#before, length).includes(tokens)
  }

  /** Releases what the sequence has passed: the last step stays as it is. */
  pass(length: number): void {
    this.#release(tokens => tokens === length)
  }

  /** Goes on from the state after `length` tokens of another sequence, which is held already. */
  adopt(length: number, block: Block | null): void {
    this.truncate(0)
    this.#before = length
    if (block) this.#kept.set(length, block)
  }

  /** Takes another block with the same bits. */
  replace(length: number, block: Block): void {
    const own = this.#kept.get(length)
    if (!own || own === block) return
    this.#pool.hold(block)
    this.#pool.release(own)
    this.#kept.set(length, block)
  }

  truncate(length: number): void {
    this.#release(tokens => tokens > 0 && tokens <= length)
    this.#before = Math.min(this.#before, length)
    for (const block of this.#next.values()) this.#pool.release(block)
    this.#next.clear()
  }

  #release(keeps: (tokens: number) => boolean): void {
    for (const [tokens, block] of this.#kept) {
      if (keeps(tokens)) continue
      this.#pool.release(block)
      this.#kept.delete(tokens)
    }
  }

  /** Ends of blocks within a step whose states are kept for others. */
  #keptEnds(length: number, end: number): number[] {
    const bt = this.#blockTokens
    const last = Math.floor(end / bt) * bt
    const ends: number[] = []
    for (let at = (Math.floor(length / bt) + 1) * bt; at <= last; at += bt) {
      const reads = at === last && end - length > WRITTEN_TOKENS
      if (at === this.#wanted || reads || (at / bt) % this.#every === 0) ends.push(at)
    }
    return ends
  }
}

/** So that the states at ends of blocks take about as much memory as the rows between them. */
function blocksPerState({ groups }: CacheLayout, { blockBytes }: CacheGroup): number {
  const rows = groups.reduce((bytes, group) => bytes + (group.states ? 0 : group.blockBytes), 0)
  return rows === 0 ? 1 : Math.max(1, Math.round(blockBytes / rows))
}
