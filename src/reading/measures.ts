/** How a head attends, measured while its pattern passes by row by row. */
import type { HeadMeasures } from './types.ts'

/** What measuring needs of a text, once for all heads. */
export interface MeasuredText {
  /** For each token the earlier ones with its id. */
  readonly sameToken: readonly (readonly number[])[]
  /** For each token the earlier ones with its word. */
  readonly sameWord: readonly (readonly number[])[]
}

export function measuredText(ids: ArrayLike<number>, texts: readonly string[]): MeasuredText {
  return {
    sameToken: earlier(Array.from(ids)),
    // A token without letters is no word.
    sameWord: earlier(texts.map(text => (/[\p{L}\p{N}]/u.test(text) ? text.trim().toLowerCase() : null))),
  }
}

function earlier(keys: readonly (string | number | null)[]): number[][] {
  const seen = new Map<string | number, number[]>()
  return keys.map((key, i) => {
    if (key === null) return []
    const before = seen.get(key) ?? []
    seen.set(key, [...before, i])
    return before
  })
}

export class Measure {
  readonly #text: MeasuredText
  readonly #previous = new Mean()
  readonly #first = new Mean()
  readonly #induction = new Mean()
  readonly #sameWord = new Mean()

  constructor(text: MeasuredText) {
    this.#text = text
  }

  /** The probabilities of the query at position t: `row[at + s]` of key s. */
  add(t: number, row: Float32Array, at: number): void {
    const p = (s: number) => row[at + s] as number
    const sum = (keys: readonly number[], shift: number) => keys.reduce((n, s) => n + p(s + shift), 0)
    if (t > 0) {
      this.#previous.add(p(t - 1))
      this.#first.add(p(0))
    }
    const same = this.#text.sameToken[t] ?? []
    // What followed the token just before is the token itself, which no head finds by induction.
    const followed = same.filter(s => s + 1 < t)
    if (followed.length > 0) this.#induction.add(sum(followed, 1))
    const word = this.#text.sameWord[t] ?? []
    if (word.length > 0) this.#sameWord.add(sum(word, 0))
  }

  get result(): HeadMeasures {
    return {
      previous: this.#previous.value,
      first: this.#first.value,
      induction: this.#induction.value,
      sameWord: this.#sameWord.value,
    }
  }
}

class Mean {
  #sum = 0
  #count = 0

  add(x: number): void {
    this.#sum += x
    this.#count++
  }

  get value(): number | null {
    return this.#count > 0 ? this.#sum / this.#count : null
  }
}
