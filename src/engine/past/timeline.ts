import { CacheFullError } from '../../cache/pool.ts'
import type { PrefixMatch, PrefixNode, PrefixTree } from '../../cache/prefix-tree.ts'
import type { SequenceCache } from '../../cache/sequence-cache.ts'
import { OptionError } from '../../errors.ts'
import type { Model } from '../../model/model.ts'
import type { RowRun } from '../../model/shift.ts'
import type { PromptExtent } from '../../nn/attention/path.ts'
import type { StepInput } from '../../nn/step.ts'
import type { SessionState } from '../types/protocol.ts'
import {
  asEdited,
  asForeign,
  type CachedRows,
  isPrivate,
  type ReuseOptions,
  type RowRules,
  reusableRows,
  rowFits,
  rowProvenance,
  usesLongFactors,
} from './provenance.ts'

/** Rows of the tree as an offer to a prompt. */
interface Remembered extends CachedRows {
  readonly match: PrefixMatch | null
}

/** Cuts rows from position `start` on into runs that were turned alike. */
function runsOf(provenance: readonly number[], start: number): RowRun[] {
  const runs: { start: number; count: number; beyond: boolean }[] = []
  for (const [i, flags] of provenance.entries()) {
    const last = runs.at(-1)
    if (last?.beyond === usesLongFactors(flags)) last.count++
    else runs.push({ start: start + i, count: 1, beyond: usesLongFactors(flags) })
  }
  return runs
}

/** What a prompt stands on: so many cached rows; the extent is that of the tokens to run. */
export interface PrefixReuse {
  readonly rows: number
  readonly extent: PromptExtent
}

/** All of a timeline but the memory of its rows. */
export interface Past {
  readonly tokens: readonly number[]
  readonly endsGenerated: boolean
  /** Of the rows that are there. */
  readonly ids: readonly number[]
  readonly provenance: readonly number[]
}

/**
 * A session's past: the ids the caller knows of, and the rows the model still has. The two differ while a prompt runs
 * and after one was aborted; then the rows that fit the next prompt are used, and the others are forgotten. Its full
 * blocks go to the tree, where the prompts of other sessions find them.
 */
export class Timeline {
  #cache: SequenceCache
  readonly #rules: RowRules
  readonly #prefixes: PrefixTree | null
  /** Of the cached rows. */
  readonly #ids: number[] = []
  readonly #provenance: number[] = []
  /** Of the full blocks that are in the tree: all from the first on. */
  readonly #nodes: PrefixNode[] = []
  #tokens: readonly number[] = []
  /** What the caller knows: the tokens last reported. */
  #reported: readonly number[] = []
  #endsGenerated = false

  /** Without `prefixes` the timeline shares nothing. */
  constructor(cache: SequenceCache, rules: RowRules, prefixes: PrefixTree | null = null) {
    this.#cache = cache
    this.#rules = rules
    this.#prefixes = prefixes
  }

  /** With rows that came in a file: `cache` holds them. */
  static restored(
    cache: SequenceCache,
    rules: RowRules,
    prefixes: PrefixTree,
    { tokens, endsGenerated, ids, provenance }: Past,
  ): Timeline {
    const made = new Timeline(cache, rules, prefixes)
    for (const id of ids) made.#ids.push(id)
    for (const flags of provenance) made.#provenance.push(asForeign(flags))
    made.#tokens = tokens
    made.#endsGenerated = endsGenerated
    return made
  }

  get past(): Past {
    return {
      tokens: this.#tokens,
      endsGenerated: this.#endsGenerated,
      ids: [...this.#ids],
      provenance: [...this.#provenance],
    }
  }

  get cache(): SequenceCache {
    return this.#cache
  }

  get tokens(): readonly number[] {
    return this.#tokens
  }

  /** The last token was generated, so that going on without new text is generating on. */
  get endsGenerated(): boolean {
    return this.#endsGenerated
  }

  /**
   * Makes the cache hold the rows that a prompt of these ids can stand on, its own or those of the tree, and nothing
   * else. Says how many, and which extent the other tokens have.
   */
  reuse(ids: readonly number[], options: ReuseOptions): PrefixReuse {
    const own: Remembered = {
      ids: this.#ids,
      provenance: this.#provenance,
      usable: rows => (rows === this.cache.length || this.cache.canTruncate(rows) ? rows : 0),
      match: null,
    }
    const { from, rows, extent } = reusableRows(this.#rules, [own, ...this.#remembered(ids, options)], ids, options)
    if (from.match) this.#adopt(from.match, rows)
    else this.truncate(rows)
    return { rows, extent }
  }

  /** Makes the cache empty, for a prompt of these ids that stands on nothing. */
  anew(ids: readonly number[]): PrefixReuse {
    this.truncate(0)
    return { rows: 0, extent: { start: 0, end: ids.length } }
  }

  /** The model has run this input, which began at `position`; what it ran beyond is taken back. */
  ran({ tokens, prompt, path }: StepInput, position: number): void {
    const end = position + tokens.length
    if (this.cache.length > end) this.cache.truncate(end)
    const provenance = rowProvenance(this.#rules, position, tokens.length, prompt, path)
    for (let i = 0; i < tokens.length; i++) {
      this.#ids.push(tokens[i] as number)
      this.#provenance.push(provenance[i] as number)
    }
    this.#publish()
    this.cache.passWindows()
  }

  /** Drops tokens from .. to of the past. */
  async drop(from: number, to: number, shift: Model['shift']): Promise<void> {
    await this.dropRows(this.#tokens, from, to, shift)
    if (to === this.#tokens.length) this.#endsGenerated = false
    this.#tokens = [...this.#tokens.slice(0, from), ...this.#tokens.slice(to)]
  }

  /**
   * Drops the rows of tokens from .. to of a past of `tokens`; the rows after them move up. They are what they were, so
   * they still have taken in what is dropped: the next prompt stands on them, unless it is `strict`. They are shared with
   * nobody. Where there is no room for them in two places they are forgotten, to be computed again. Changes nothing where it
   * fails.
   */
  async dropRows(tokens: readonly number[], from: number, to: number, shift: Model['shift']): Promise<void> {
    let rows = 0
    while (rows < this.#ids.length && this.#ids[rows] === tokens[rows]) rows++
    const [first, end] = [Math.min(from, rows), Math.min(to, rows)]
    if (!this.#cache.canTruncate(first)) {
      throw new OptionError(
        `Tokens ${from} to ${to} cannot be dropped: rows before them have left the model's sliding window. ` +
          'Reset the session and give the text that is left as a prompt.',
      )
    }
    const made = this.#cache.fork()
    try {
      made.truncate(first)
      if (end < rows) await shift(this.#cache, made, runsOf(this.#provenance.slice(end, rows), end), end - first)
    } catch (error) {
      made.dispose()
      if (!(error instanceof CacheFullError)) throw error
      this.truncate(first)
      return
    }
    this.#cache.dispose()
    this.#cache = made
    const moved = { ids: this.#ids.slice(end, rows), provenance: this.#provenance.slice(end, rows).map(asEdited) }
    this.#forgetKeys(first)
    for (const id of moved.ids) this.#ids.push(id)
    for (const flags of moved.provenance) this.#provenance.push(flags)
  }

  /** Forgets rows from `rows` on, or all if a window has passed what would be needed. */
  truncate(rows: number): void {
    const keep = rows >= this.cache.length || this.cache.canTruncate(rows) ? Math.min(rows, this.cache.length) : 0
    this.cache.truncate(keep)
    this.#forgetKeys(keep)
  }

  /** The timeline is now these ids. */
  become(tokens: readonly number[], endsGenerated: boolean): SessionState {
    this.#tokens = tokens
    this.#endsGenerated = endsGenerated
    return this.state()
  }

  /** What the caller does not know yet. */
  state(): SessionState {
    const [before, now] = [this.#reported, this.#tokens]
    let keep = 0
    while (keep < before.length && keep < now.length && before[keep] === now[keep]) keep++
    this.#reported = now
    const { length, usedBytes, bytes } = this.#cache
    return { cache: { tokens: length, usedBytes, bytes }, keep, tokens: now.slice(keep) }
  }

  /** Goes on in the place of another, which the caller knows and which is disposed of. */
  replace(other: Timeline): void {
    this.#reported = other.#reported
    other.dispose()
  }

  /** Another timeline with the same past; nothing is copied until one of the two grows. */
  fork(): Timeline {
    const made = new Timeline(this.cache.fork(), this.#rules, this.#prefixes)
    for (const id of this.#ids) made.#ids.push(id)
    for (const flags of this.#provenance) made.#provenance.push(flags)
    made.#nodes.push(...this.#nodes)
    made.#tokens = this.#tokens
    made.#endsGenerated = this.#endsGenerated
    return made
  }

  reset(): SessionState {
    this.truncate(0)
    return this.become([], false)
  }

  dispose(): void {
    this.reset()
    this.cache.dispose()
  }

  #remembered(ids: readonly number[], options: ReuseOptions): Remembered[] {
    const tree = this.#prefixes
    if (!tree) return []
    const fits = rowFits(this.#rules, ids.length, options)
    const matches = [tree.longest(ids, fits.exact), ...(options.strict ? [] : [tree.longest(ids, fits.near)])]
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
    cache.adopt(
      start,
      taken.map(node => node.blocks),
      rows,
    )
    this.#forgetKeys(start * blockTokens)
    for (const node of taken) {
      this.#ids.push(...node.ids)
      this.#provenance.push(...node.provenance)
      this.#nodes.push(node)
    }
    this.#forgetKeys(rows)
  }

  /** Gives full blocks to the tree, and goes on with the tree's where it has the same already. */
  #publish(): void {
    const tree = this.#prefixes
    if (!tree) return
    const { blockTokens } = this.cache
    while ((this.#nodes.length + 1) * blockTokens <= this.#ids.length) {
      const n = this.#nodes.length
      const rows = [n * blockTokens, (n + 1) * blockTokens] as const
      const provenance = this.#provenance.slice(...rows)
      // What follows such rows has seen them.
      if (provenance.some(isPrivate)) return
      const parent = this.#nodes.at(-1) ?? null
      const node = tree.publish(parent, this.#ids.slice(...rows), provenance, this.cache.blocksAt(n))
      for (const block of node.blocks) if (block) this.cache.replace(n, block)
      this.#nodes.push(node)
    }
  }

  #forgetKeys(rows: number): void {
    this.#ids.length = rows
    this.#provenance.length = rows
    this.#nodes.length = Math.min(this.#nodes.length, Math.floor(rows / this.cache.blockTokens))
  }
}
