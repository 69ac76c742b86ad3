/**
 * Guesses how a text continues. The model checks every guess, so a wrong one costs time but never changes the text. There
 * are three kinds: prompt lookup, a draft model, and the model's own module of multi-token prediction.
 */
export interface Proposer {
  /** Longest useful draft, in tokens. */
  readonly most: number
  /** At most `count` ids that may follow `tokens` (at least one token); fewer or none without a guess. */
  propose(tokens: readonly number[], count: number): Promise<readonly number[]>
  /** A guess takes no time worth counting. Default false. */
  readonly costless?: boolean
  /** It did not guess last time, as it had not read the whole text. Default false. */
  readonly isReading?: boolean
  /** Set for one that guesses from the model's states. */
  readonly states?: StateReader
}

/** Reads the states that the model computes on its way. */
export interface StateReader {
  /**
   * The model has run tokens `start` .. `start + count` of a text of `tokens`, which stay; `states`, [count, D], are its states after the
   * final norm, and may be overwritten when this returns.
   */
  read(tokens: readonly number[], start: number, count: number, states: Float32Array): void
  /** Computes with what was read if much of it waits; null: it does not. */
  settle(tokens: readonly number[]): Promise<void> | null
}
