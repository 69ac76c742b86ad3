import type { EndingSearch } from './ending-search.ts'
import type { TextMatcher } from './text-matcher.ts'

/** Most tokens that are left when an ending is looked for at first. */
const MAX_LEFT = 2048
/** Tokens by which an ending may grow at once: a value begins that has to have some inside. */
const GROWTH = 16
/** Tokens by which an ending may grow for each token that is drawn meanwhile. */
const GROWTH_PER_TOKEN = 2

/**
 * Numbers of left tokens at which an ending may be looked for: each 7/8 of the one before. They are the same for every text, so
 * that a text that is continued elsewhere, or checks guesses, ends in the same way.
 */
const LOOKS: readonly number[] = (() => {
  const looks = [2]
  for (let next = 3; next <= MAX_LEFT; next = Math.max(next + 1, Math.ceil((next * 8) / 7))) looks.push(next)
  return looks.reverse()
})()

/** A place at which an ending was looked for. */
interface Look {
  /** Tokens of the text there. */
  readonly length: number
  /** Whether the text has to end from there on. */
  readonly ends: boolean
  /** Which of `LOOKS` comes next. */
  readonly next: number
}

/** Brings a text to its end before its tokens run out: from the last moment on, its masks allow one short ending alone. */
export class Ending {
  readonly #search: EndingSearch
  readonly #ends: readonly number[]
  /** Tokens of the whole text, those that are left included. */
  #total = -1
  /** In their order. Where the next one is depends on the text alone. */
  #looks: Look[] = []
  /** The ending from a length of the text on. */
  #path: { readonly length: number; readonly ids: readonly number[] } | null = null

  /** `ends`: ids that end a text. */
  constructor(search: EndingSearch, ends: readonly number[]) {
    this.#search = search
    this.#ends = ends
  }

  /** Of another text that goes on from the same place. */
  fork(): Ending {
    const copy = new Ending(this.#search, this.#ends)
    copy.#total = this.#total
    copy.#looks = [...this.#looks]
    copy.#path = this.#path
    return copy
  }

  /** Ids have been taken back, so that the text has this length. */
  cut(length: number): void {
    while ((this.#looks.at(-1)?.length ?? 0) > length) this.#looks.pop()
    if (this.#path && this.#path.length > length) this.#path = null
  }

  /** What the text may draw with `left` tokens left, this one counted; undefined: whatever its mask allows. */
  next(matcher: TextMatcher, left: number): readonly number[] | undefined {
    if (!this.#hasToEnd(matcher, left)) return undefined
    if (matcher.accepting) return this.#ends
    const known = this.#path?.ids[matcher.length - this.#path.length]
    // Ids that come from elsewhere may have left the way.
    if (known !== undefined && matcher.validPrefix([known]) === 1) return [known]
    const ids = this.#search.find(matcher, left)
    this.#path = ids === 'longer' || ids === null ? null : { length: matcher.length, ids }
    return this.#path?.ids.slice(0, 1)
  }

  /** The rest of the ending that the text with this length has to take; undefined: it is free, or none was found. */
  begun(length: number): readonly number[] | undefined {
    return this.#looks.at(-1)?.ends ? this.#path?.ids.slice(length - this.#path.length) : undefined
  }

  /** Whether at the last look it was too late to wait for the next one. Looks where it is time. */
  #hasToEnd(matcher: TextMatcher, left: number): boolean {
    const total = matcher.length + left
    if (total !== this.#total) this.#looks = []
    this.#total = total
    for (;;) {
      const last = this.#looks.at(-1)
      const at = last ? last.next : LOOKS.findIndex(look => look <= total)
      if (at < 0 || at >= LOOKS.length || (LOOKS[at] as number) < left) return last?.ends ?? false
      this.#looks.push(this.#lookAt(matcher, at, left))
    }
  }

  /** Looks for an ending where so many were left. */
  #lookAt(matcher: TextMatcher, at: number, left: number): Look {
    const look = LOOKS[at] as number
    const length = matcher.length - (look - left)
    const copy = matcher.fork()
    try {
      copy.rollback(look - left)
      const ids = this.#search.find(copy, look)
      if (ids === 'longer') {
        // A token brings the text nearer to its end by one: it is hardly reached any more.
        const half = LOOKS.findIndex(other => other <= look / 2)
        this.#path = null
        return { length, ends: false, next: half < 0 ? LOOKS.length : half }
      }
      this.#path = ids && { length, ids }
      const ends = ids !== null && isDue(at, ids.length)
      return { length, ends, next: ids === null ? at + 1 : nextAfter(at, ids.length) }
    } finally {
      copy.dispose()
    }
  }
}

/** Whether an ending so long cannot wait for the look after this one. */
const isDue = (at: number, length: number): boolean => (LOOKS[at + 1] ?? 0) < length + GROWTH

/** The look at which an ending that was so long at this one may be due at the earliest. */
function nextAfter(at: number, length: number): number {
  const look = LOOKS[at] as number
  const due = (next: number) => isDue(next, length + GROWTH_PER_TOKEN * (look - (LOOKS[next] as number)))
  let next = at + 1
  while (next < LOOKS.length && !due(next)) next++
  return next
}
