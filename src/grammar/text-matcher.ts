/**
 * The way of one text through a grammar. `accept` advances, `mask` says what may come next. A failure of the library
 * (GrammarError) ends the matcher: the text cannot go on under its grammar.
 */
export interface TextMatcher {
  /** Ids accepted so far. */
  readonly length: number
  /** Whether the text may end here. */
  readonly accepting: boolean
  /** Whether the text has ended, or nothing but its end can follow. */
  readonly stopped: boolean
  /**
   * Writes one bit per id, id 0 in the lowest bit of word 0. `into` may be longer than the vocabulary. Where the grammar
   * is complete, the ids that end a text are allowed, and only these where nothing else can follow.
   */
  mask(into: Uint32Array): void
  /** Advances over the ids up to the first that is not allowed; returns how many. */
  accept(ids: readonly number[]): number
  /** How many of the ids are allowed one after the other; the matcher stays where it is. */
  validPrefix(ids: readonly number[]): number
  /** The first of the ids that the mask allows. */
  firstAllowed(ids: readonly number[]): number | undefined
  /** Whether `firstAllowed` takes much less time than a mask. */
  readonly looksQuickly: boolean
  /** Takes the last `count` ids back. */
  rollback(count: number): void
  /** The bytes that have to come next; empty where there is a choice. */
  forced(): Uint8Array
  /** Another matcher at the same place. */
  fork(): TextMatcher
  /** Gives its memory back. */
  dispose(): void
}
