/**
 * Guesses how a text goes on. The model checks every guess, so a wrong one costs time and never a token. What a model
 * proposes for itself, from heads that predict several tokens, would be a third kind next to these two.
 */
export interface Proposer {
  /** Most tokens that are worth guessing at once. */
  readonly most: number
  /** At most `count` ids that may follow `tokens`, which has one at least; fewer or none where there is no guess. */
  propose(tokens: readonly number[], count: number): Promise<readonly number[]>
}
