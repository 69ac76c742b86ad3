import type { SequenceCache } from '../cache/sequence-cache.ts'
import type { StepInput } from '../model/step.ts'
import type { SessionState } from './protocol.ts'
import { type Reuse, type RowRules, reusableRows, rowWays } from './reuse.ts'

/**
 * A session's past: the ids the caller knows of, and the rows the model still has. The two differ while a prompt runs
 * and after one was aborted; then the rows that fit the next prompt are used, and the others are forgotten.
 */
export class Timeline {
  readonly cache: SequenceCache
  readonly #rules: RowRules
  /** Of the cached rows. */
  readonly #ids: number[] = []
  readonly #ways: number[] = []
  #tokens: readonly number[] = []
  #endsGenerated = false

  constructor(cache: SequenceCache, rules: RowRules) {
    this.cache = cache
    this.#rules = rules
  }

  get tokens(): readonly number[] {
    return this.#tokens
  }

  /** The last token was generated, so that going on without new text is generating on. */
  get endsGenerated(): boolean {
    return this.#endsGenerated
  }

  /** Keeps the rows that a prompt of these ids can stand on and forgets the others. */
  reuse(ids: readonly number[], options: Parameters<typeof reusableRows>[3]): Reuse {
    const wanted = reusableRows(this.#rules, { ids: this.#ids, ways: this.#ways }, ids, options)
    // Rows that a window has passed are gone: behind them nothing can be taken back.
    const possible = wanted.rows === this.cache.length || this.cache.canTruncate(wanted.rows)
    this.truncate(possible ? wanted.rows : 0)
    return possible ? wanted : { rows: 0, extent: { start: 0, end: ids.length } }
  }

  /** The model has run this input, which began at `position`. */
  ran({ tokens, prompt, path }: StepInput, position: number): void {
    const ways = rowWays(this.#rules, position, tokens.length, prompt, path)
    for (let i = 0; i < tokens.length; i++) {
      this.#ids.push(tokens[i] as number)
      this.#ways.push(ways[i] as number)
    }
  }

  /** Forgets rows from `rows` on, or all if a window has passed what would be needed. */
  truncate(rows: number): void {
    const keep = rows >= this.cache.length || this.cache.canTruncate(rows) ? Math.min(rows, this.cache.length) : 0
    this.cache.truncate(keep)
    this.#ids.length = keep
    this.#ways.length = keep
  }

  /** The timeline is now these ids. Says what has changed. */
  become(tokens: readonly number[], endsGenerated: boolean): SessionState {
    const before = this.#tokens
    let keep = 0
    while (keep < before.length && keep < tokens.length && before[keep] === tokens[keep]) keep++
    this.#tokens = tokens
    this.#endsGenerated = endsGenerated
    return { cache: this.#stats(), keep, tokens: tokens.slice(keep) }
  }

  /** As it was: only the cache may have changed. */
  unchanged(): SessionState {
    return { cache: this.#stats(), keep: this.#tokens.length, tokens: [] }
  }

  reset(): SessionState {
    this.truncate(0)
    return this.become([], false)
  }

  dispose(): void {
    this.reset()
    this.cache.dispose()
  }

  #stats(): SessionState['cache'] {
    const { length, usedBytes, bytes } = this.cache
    return { tokens: length, usedBytes, bytes }
  }
}
