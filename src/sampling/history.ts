/**
 * The input of penalties: the set of the prompt's tokens, and how often the answer has each token. Counts are updated
 * per token, so a long prompt costs nothing per step.
 */
export class TokenHistory {
  readonly #prompt: Set<number>
  readonly #counts: Map<number, number>

  /** `counts`: the tokens that the answer has already. */
  constructor(prompt: Iterable<number> = [], counts: Iterable<readonly [number, number]> = []) {
    this.#prompt = new Set(prompt)
    this.#counts = new Map(counts)
  }

  /** Counts a token of the answer. */
  add(id: number): void {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1)
  }

  /** An independent copy, for a fork of the session. */
  clone(): TokenHistory {
    return new TokenHistory(this.#prompt, this.#counts)
  }

  /** The distinct tokens of the prompt. */
  get prompt(): ReadonlySet<number> {
    return this.#prompt
  }

  /** Number of occurrences by token of the answer. */
  get counts(): ReadonlyMap<number, number> {
    return this.#counts
  }

  /** Visits every token of the prompt or the answer once. */
  forEachSeen(visit: (id: number) => void): void {
    for (const id of this.#prompt) visit(id)
    for (const id of this.#counts.keys()) if (!this.#prompt.has(id)) visit(id)
  }
}
