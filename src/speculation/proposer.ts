/**
 * Guesses how a text continues. The model checks every guess, so a wrong one costs time but never changes the text. There
 * are two kinds: prompt lookup and a draft model. Heads of a model that predict several tokens would be a third.
 */
export interface Proposer {
  /** Longest useful draft, in tokens. */
  readonly most: number
  /** At most `count` ids that may follow `tokens` (at least one token); fewer or none without a guess. */
  propose(tokens: readonly number[], count: number): Promise<readonly number[]>
}
