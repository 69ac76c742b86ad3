/**
 * What penalties look at: which tokens the prompt has and how often the answer has each. Counts are kept as tokens
 * come, so that a long prompt costs nothing per token.
 */
export class TokenHistory {
  readonly #prompt: Set<number>
  readonly #counts: Map<number, number>

  /** `counts`: what the answer has already. */
  constructor(prompt: Iterable<number> = [], counts: Iterable<readonly [number, number]> = []) {
    this.#prompt = new Set(prompt)
    this.#counts = new Map(counts)
  }

  /** Notes a token of the answer. */
  add(id: number): void {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1)
  }

  /** For a fork of the session: what is added to one is not in the other. */
  clone(): TokenHistory {
    return new TokenHistory(this.#prompt, this.#counts)
  }

  /** Tokens of the prompt, each once. */
  get prompt(): ReadonlySet<number> {
    return this.#prompt
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
