import { CacheFullError } from '../../cache/pool.ts'
import type { PrefixMatch, PrefixNode, PrefixTree } from '../../cache/prefix-tree.ts'
import type { SequenceCache } from '../../cache/sequence-cache.ts'
import type { SourceRows } from '../../cache/source-rows.ts'
import { OptionError } from '../../errors.ts'
import type { PromptExtent } from '../../nn/attention/path.ts'
import type { RowRules } from '../../nn/provenance.ts'
import type { SessionState } from '../types/protocol.ts'
import { type CachedRows, isPrivate, type ReuseOptions, reusableRows, rowFits } from './reusable-rows.ts'

/** Moves cached rows. */
export interface RowMover {
  /** Appends rows start .. end of one sequence to another, at their new positions. Throws CacheFullError. */
  shift(from: SequenceCache, to: SequenceCache, start: number, end: number): Promise<void>
}

/** What the timelines of one engine have in common. */
export interface SharedPast {
  readonly rules: RowRules
  readonly mover: RowMover
  /** Where full blocks are shared; null: with nobody. */
  readonly prefixes: PrefixTree | null
}

/** Rows of the tree as an offer to a prompt. */
interface Remembered extends CachedRows {
  readonly match: PrefixMatch | null
}

/** So many cached rows are reused; the extent is that of the tokens to run. */
export interface PrefixReuse {
  readonly rows: number
  readonly extent: PromptExtent
}

/**
 * A session's past: the ids the caller knows of, and the rows the model still has. The two differ while a prompt runs
 * and after one was aborted; then the rows that fit the next prompt are used, and the others are forgotten. Its full
 * blocks go to the tree, where the prompts of other sessions find them.
 */
export class Timeline {
  readonly cache: SequenceCache
  readonly #shared: SharedPast
  /** Which sessions find its blocks. */
  readonly salt: string
  /** Of the full blocks that are in the tree: all from the first on. */
  readonly #nodes: PrefixNode[] = []
  #tokens: readonly number[] = []
  #endsGenerated = false
  /** How many of the tokens the caller knows already. */
  #reported = 0

  constructor(cache: SequenceCache, shared: SharedPast, salt = '') {
    this.cache = cache
    this.salt = salt
    this.#shared = shared
  }

  get tokens(): readonly number[] {
    return this.#tokens
  }

  /** The last token was generated, so that going on without new text is generating on. */
  get endsGenerated(): boolean {
    return this.#endsGenerated
  }

  /**
   * Makes the cache hold the rows that a prompt of these ids can reuse, its own or those of the tree, and nothing else. Says
   * how many, and which extent the other tokens have.
   */
  reuse(ids: readonly number[], options: ReuseOptions): PrefixReuse {
    const { cache } = this
    const own: Remembered = {
      ids: cache.ids,
      provenance: cache.provenance,
      usable: rows => cache.reachable(rows),
      match: null,
    }
    const offers = [own, ...this.#remembered(ids, options)] as const
    const { from, rows, extent } = reusableRows(this.#shared.rules, offers, ids, options)
    if (from.match) this.#adopt(from.match, rows)
    else this.truncate(rows)
    const known = Math.max(...offers.map(({ ids }) => ids.length))
    cache.wantState(Math.floor(known / cache.blockTokens) * cache.blockTokens)
    return { rows, extent }
  }

  /** Makes the cache empty, for a prompt of these ids that reuses nothing. */
  anew(ids: readonly number[]): PrefixReuse {
    this.truncate(0)
    return { rows: 0, extent: { start: 0, end: ids.length } }
  }

  /** From now on it stands on another source text, and has no rows. */
  readFrom(source: SourceRows): void {
    this.cache.readFrom(source)
    this.#forgetNodes(0)
  }

  /**
   * Rows have been run that fill a block, or of which only those up to `end` stay: full blocks go to the tree. Where no state is there
   * to go back to `end`, a few more rows go; they are run again.
   */
  keepRun(end: number): void {
    if (this.cache.length > end) this.cache.truncate(this.cache.reachable(end))
    this.#publish()
    this.cache.passWindows()
  }

  /** Drops tokens from .. to of the past. */
  async drop(from: number, to: number): Promise<void> {
    await this.dropRows(this.#tokens, from, to)
    const endsGenerated = this.#endsGenerated && to < this.#tokens.length
    this.become([...this.#tokens.slice(0, from), ...this.#tokens.slice(to)], endsGenerated)
  }

  /**
   * Drops the rows of tokens from .. to of a past of `tokens`; the rows after them move up. They are what they were, so
   * they still have taken in what is dropped: the next prompt reuses them, unless it is `strict`. They are shared with
   * nobody. Where there is no room for them in two places, or states have taken in what is dropped, they are forgotten, to be
   * computed again. Changes nothing where it fails.
   */
  async dropRows(tokens: readonly number[], from: number, to: number): Promise<void> {
    const { cache } = this
    const rows = commonLength(cache.ids, tokens)
    const [first, end] = [Math.min(from, rows), Math.min(to, rows)]
    if (cache.hasStates) {
      // What a state has taken in it does not give back.
      this.truncate(first)
      return
    }
    if (!cache.canTruncate(first)) {
      throw new OptionError(
        `Tokens ${from} to ${to} cannot be dropped: rows before them have left the model's sliding window. ` +
          'Reset the session and give the text that is left as a prompt.',
      )
    }
    const made = cache.fork()
    try {
      made.truncate(first)
      if (end < rows) await this.#shared.mover.shift(cache, made, end, rows)
    } catch (error) {
      made.dispose()
      if (!(error instanceof CacheFullError)) throw error
      this.truncate(first)
      return
    }
    cache.takeOver(made)
    this.#forgetNodes(first)
  }

  /** Forgets rows from `rows` on, or all if a window has passed what would be needed. */
  truncate(rows: number): void {
    const keep = this.cache.reachable(rows)
    this.cache.truncate(keep)
    this.#forgetNodes(keep)
  }

  /** The timeline is now these ids. */
  become(tokens: readonly number[], endsGenerated: boolean): void {
    this.#reported = Math.min(this.#reported, commonLength(this.#tokens, tokens))
    this.#tokens = tokens
    this.#endsGenerated = endsGenerated
  }

  /** What the caller does not know yet. */
  state(): SessionState {
    const keep = this.#reported
    this.#reported = this.#tokens.length
    const { length, usedBytes, bytes } = this.cache
    return { cache: { tokens: length, usedBytes, bytes }, keep, tokens: this.#tokens.slice(keep) }
  }

  /** Goes on in the place of another, which the caller knows and which is disposed of. */
  replace(other: Timeline): void {
    this.#reported = Math.min(other.#reported, commonLength(other.#tokens, this.#tokens))
    other.dispose()
  }

  /** Another timeline with the same past; nothing is copied until one of the two grows. */
  fork(): Timeline {
    const made = new Timeline(this.cache.fork(), this.#shared, this.salt)
    made.#nodes.push(...this.#nodes)
    made.#tokens = this.#tokens
    made.#endsGenerated = this.#endsGenerated
    return made
  }

  reset(): void {
    this.truncate(0)
    this.become([], false)
  }

  dispose(): void {
    this.reset()
    this.cache.dispose()
  }

  #remembered(ids: readonly number[], options: ReuseOptions): Remembered[] {
    const { prefixes: tree, rules } = this.#shared
    if (!tree) return []
    const fits = rowFits(rules, ids.length, options)
    // A text that goes on from ids alone takes no row of others that a cold run would not have.
    const exact = options.strict || options.promptLength !== undefined
    const kinds = exact ? [fits.exact] : [fits.exact, fits.near]
    const matches = kinds.map(kind => tree.longest(ids, kind, this.salt))
    return matches.map(match => ({
      ids: ids.slice(0, match.rows),
      provenance: match.nodes.flatMap(node => node.provenance),
      usable: rows => tree.usableRows(match, rows),
      match,
    }))
  }

  /** Takes the tree's rows in place of its own, where they are not the same already. */
  #adopt({ nodes }: PrefixMatch, rows: number): void {
    const { cache } = this
    const { blockTokens } = cache
    const whole = Math.floor(rows / blockTokens)
    let same = 0
    while (same < Math.min(whole, this.#nodes.length) && this.#nodes[same] === nodes[same]) same++
    const start = cache.canTruncate(same * blockTokens) ? same : 0
    const taken = nodes.slice(start, Math.ceil(rows / blockTokens))
    cache.adopt(start, taken, rows)
    this.#nodes.splice(start, this.#nodes.length, ...taken)
    this.#forgetNodes(rows)
  }

  /** Gives full blocks to the tree, and goes on with the tree's where it has the same already. */
  #publish(): void {
    const { cache } = this
    const tree = this.#shared.prefixes
    if (!tree) return
    const { blockTokens } = cache
    while ((this.#nodes.length + 1) * blockTokens <= cache.length) {
      const n = this.#nodes.length
      const block = cache.sharedBlock(n)
      // What follows such rows has seen them.
      if (block.provenance.some(isPrivate)) return
      const node = tree.publish(this.#nodes.at(-1) ?? null, block, 'computed', this.salt)
      for (const shared of node.blocks) if (shared) cache.replace(n, shared)
      this.#nodes.push(node)
    }
  }

  #forgetNodes(rows: number): void {
    this.#nodes.length = Math.min(this.#nodes.length, Math.floor(rows / this.cache.blockTokens))
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}
