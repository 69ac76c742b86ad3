import type { EndingSearch } from './ending-search.ts'
import type { TextMatcher } from './text-matcher.ts'

/** Most tokens that are left when an ending is looked for at first. */
const MAX_LEFT = 2048
/** Tokens by which an ending may grow until it is looked for again. */
const GROWTH = 16

/**
 * Numbers of left tokens at which an ending is looked for: each 7/8 of the one before, so that it costs little. They are the same
 * for every text, so that a text that is continued elsewhere, or checks guesses, ends in the same way.
 */
const LOOKS: readonly number[] = (() => {
  const looks = [2]
  for (let next = 3; next <= MAX_LEFT; next = Math.max(next + 1, Math.ceil((next * 8) / 7))) looks.push(next)
  return looks
})()

/** Brings a text to its end before its tokens run out: from the last moment on, its masks allow one short ending alone. */
export class Ending {
  readonly #search: EndingSearch
  readonly #ends: readonly number[]
  /** The last look: tokens of the text at it, and whether the text has to end from there on. */
  #look = { length: -1, ends: false }
  /** The ending from a length of the text on. */
  #path: { readonly length: number; readonly ids: readonly number[] } | null = null

  /** `ends`: ids that end a text. */
  constructor(search: EndingSearch, ends: readonly number[]) {
    this.#search = search
    this.#ends = ends
  }

  /** Ids have been taken back, so that the text has this length. */
  cut(length: number): void {
    if (this.#look.length > length) this.#look = { length: -1, ends: false }
    if (this.#path && this.#path.length > length) this.#path = null
  }

  /** What the text may draw with `left` tokens left, this one counted; undefined: whatever its mask allows. */
  next(matcher: TextMatcher, left: number): readonly number[] | undefined {
    const at = LOOKS.findIndex(look => look >= left)
    const look = LOOKS[at]
    if (look === undefined || look - left > matcher.length) return undefined
    if (!this.#hasToEnd(matcher, look - left, LOOKS[at - 1] ?? 0, look)) return undefined
    if (matcher.accepting) return this.#ends
    const known = this.#path?.ids[matcher.length - this.#path.length]
    // Ids that come from elsewhere may have left the way.
    if (known !== undefined && matcher.validPrefix([known]) === 1) return [known]
    const ids = this.#search.find(matcher, left)
    this.#path = ids && { length: matcher.length, ids }
    return ids?.slice(0, 1)
  }

  /** Whether at the look, `back` tokens ago, it was too late to wait for the next one. */
  #hasToEnd(matcher: TextMatcher, back: number, following: number, look: number): boolean {
    const length = matcher.length - back
    if (this.#look.length === length) return this.#look.ends
    const copy = matcher.fork()
    try {
      copy.rollback(back)
      const ids = this.#search.find(copy, look)
      this.#look = { length, ends: ids !== null && following < ids.length + GROWTH }
      this.#path = ids && { length, ids }
    } finally {
      copy.dispose()
    }
    return this.#look.ends
  }
}
