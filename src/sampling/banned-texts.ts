import { ByteSearch } from './byte-search.ts'
import type { TokenRule } from './sampler.ts'

/** The bytes that each token of a vocabulary adds to a text, one after the other. */
export interface TokenBytes {
  readonly bytes: Uint8Array
  /** Where each token's begin; one more than there are tokens. */
  readonly starts: Int32Array
}

/** States whose forbidden tokens are remembered: a text visits few of them often. */
const MAX_STATES = 64

/**
 * Texts that never appear: the token that would complete one is not drawn, wherever in the token the text ends. What came before is
 * already shown and stays. Texts are compared by their bytes, so no cut into tokens can hide one.
 */
export class BannedTexts implements TokenRule {
  readonly #search: ByteSearch
  readonly #tokens: TokenBytes
  readonly #forbidden = new Map<number, Int32Array>()
  #state = 0

  /** `before`: ids that the text continues; a banned text may begin in them. */
  constructor(texts: readonly string[], tokens: TokenBytes, before: Iterable<number>) {
    this.#search = new ByteSearch(texts.map(text => new TextEncoder().encode(text)))
    this.#tokens = tokens
    for (const id of before) this.accept(id)
  }

  apply(logits: Float32Array): void {
    for (const id of this.#forbiddenNow()) if (id < logits.length) logits[id] = Number.NEGATIVE_INFINITY
  }

  accept(id: number): void {
    this.#state = this.#search.run(this.#state, bytesOf(this.#tokens, id))
  }

  #forbiddenNow(): Int32Array {
    const known = this.#forbidden.get(this.#state)
    if (known) return known
    const { bytes, starts } = this.#tokens
    const ids: number[] = []
    for (let id = 0; id + 1 < starts.length; id++) {
      if (this.#search.finds(this.#state, bytes, starts[id]!, starts[id + 1]!)) ids.push(id)
    }
    if (this.#forbidden.size === MAX_STATES) this.#forbidden.clear()
    const made = Int32Array.from(ids)
    this.#forbidden.set(this.#state, made)
    return made
  }
}

export function bytesOf({ bytes, starts }: TokenBytes, id: number): Uint8Array {
  return id + 1 < starts.length ? bytes.subarray(starts[id]!, starts[id + 1]!) : bytes.subarray(0, 0)
}
