import type { TextMatcher } from './text-matcher.ts'
import type { TokenTexts } from './token-texts.ts'
import { allowedIn, allows, maskWords } from './vocabulary.ts'

/** Longest ending that is looked for, in tokens. */
const MAX_ENDING = 1024
/** Tokens by which an ending may grow until it is looked for again. */
const GROWTH = 16
/** Where a mask allows no more ids, the rest is nearly fixed: the longest token is the fastest way through. */
const FEW = 256
/** What ends a value, then what leads to its end soonest. */
const CLOSING = ['}', ']', '"']
const ORDER = [...CLOSING, ...':,01@.:/-_#?=&%+<>', ...'nulltrefas23456789xaeiou']

/**
 * Numbers of left tokens at which an ending is looked for: each 7/8 of the one before, so that it costs little. They are the same
 * for every text, so that a text that is continued elsewhere, or checks guesses, ends in the same way.
 */
const LOOKS: readonly number[] = (() => {
  const looks = [2]
  for (let next = 3; next <= 2 * MAX_ENDING; next = Math.max(next + 1, Math.ceil((next * 8) / 7))) looks.push(next)
  return looks
})()

/** Brings a text to its end before its tokens run out: from the last moment on, its masks allow one short ending alone. */
export class Ending {
  readonly #texts: TokenTexts
  readonly #ends: readonly number[]
  readonly #closing: readonly number[]
  readonly #order: readonly number[]
  readonly #masks: Uint32Array
  /** The last look: tokens of the text at it, and whether the text has to end from there on. */
  #look = { length: -1, ends: false }
  /** The ending from a length of the text on. */
  #path: { readonly length: number; readonly ids: readonly number[] } | null = null

  /** `ends`: ids that end a text. */
  constructor(texts: TokenTexts, ends: readonly number[]) {
    this.#texts = texts
    this.#ends = ends
    this.#closing = CLOSING.flatMap(text => texts.idsOf(text))
    this.#order = ORDER.flatMap(text => texts.idsOf(text))
    this.#masks = new Uint32Array(maskWords(texts.count))
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
    const ids = this.#find(matcher, left)
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
      const ids = this.#find(copy, look)
      this.#look = { length, ends: ids !== null && following < ids.length + GROWTH }
      this.#path = ids && { length, ids }
    } finally {
      copy.dispose()
    }
    return this.#look.ends
  }

  /** The ids of a short ending; the id that ends a text is not among them. Null: none of at most `most` is found. */
  #find(matcher: TextMatcher, most: number): readonly number[] | null {
    const copy = matcher.fork()
    const ids: number[] = []
    try {
      while (!copy.accepting) {
        if (ids.length >= Math.min(most, MAX_ENDING)) return null
        const id = this.#choose(copy)
        if (id === undefined || copy.accept([id]) === 0) return null
        ids.push(id)
      }
      return ids
    } finally {
      copy.dispose()
    }
  }

  #choose(matcher: TextMatcher): number | undefined {
    const closing = matcher.firstAllowed(this.#closing)
    if (closing !== undefined) return closing
    const mask = this.#masks
    matcher.mask(mask)
    const may = (id: number) => allows(mask, id)
    const few = firstFew(mask)
    if (few === null) return this.#order.find(may) ?? firstOf(mask)
    const dense = few.filter(id => !/^\s|[[{]/.test(this.#texts.of(id)))
    const from = dense.length > 0 ? dense : few
    return from.reduce<number | undefined>((best, id) => {
      return best === undefined || this.#texts.of(id).length > this.#texts.of(best).length ? id : best
    }, undefined)
  }
}

/** All ids of a mask; null if it has many. */
function firstFew(mask: Uint32Array): number[] | null {
  const ids: number[] = []
  for (const id of allowedIn(mask)) {
    if (ids.length === FEW) return null
    ids.push(id)
  }
  return ids
}

function firstOf(mask: Uint32Array): number | undefined {
  for (const id of allowedIn(mask)) return id
  return undefined
}
