/**
 * What penalties look at: which tokens the prompt has and how often the answer has each. Counts are kept as tokens
 * come, so that a long prompt costs nothing per token.
 */
export class TokenHistory {
  readonly #prompt: Set<number>
  readonly #counts: Map<number, number>

  constructor(prompt: Iterable<number> = []) {
    this.#prompt = new Set(prompt)
    this.#counts = new Map()
  }

  /** Notes a token of the answer. */
  add(id: number): void {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1)
  }

  /** For a fork of the session: what is added to one is not in the other. */
  clone(): TokenHistory {
    const copy = new TokenHistory(this.#prompt)
    for (const [id, count] of this.#counts) copy.#counts.set(id, count)
    return copy
  }

  /** Tokens of the answer, with how often each came. */
  get counts(): ReadonlyMap<number, number> {
    return this.#counts
  }

  /** Calls for every token of the prompt or the answer, once each. */
  forEachSeen(visit: (id: number) => void): void {
    for (const id of this.#prompt) visit(id)
    for (const id of this.#counts.keys()) if (!this.#prompt.has(id)) visit(id)
  }
}
