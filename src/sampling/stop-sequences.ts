import { OptionError } from '../errors.ts'
import { show } from '../options/show.ts'

/** One sequence and how much of it the end of the text so far matches (Knuth, Morris and Pratt). */
interface Matcher {
  readonly text: string
  /** Of the first i + 1 units: the longest proper beginning that is also an end. */
  readonly borders: Int32Array
  matched: number
}

/**
 * Cuts a text that arrives in pieces at the first of several sequences. A stop is found across pieces and its text is
 * never given out; text that may be the beginning of one waits until that is decided. Of several sequences the one
 * that is complete first counts, of those complete at once the longest: the result does not depend on the pieces.
 */
export class StopMatcher {
  readonly #matchers: readonly Matcher[]
  #held = ''
  #stop: string | undefined

  /** Sequences are compared as they are, by UTF-16 units. None at all is allowed: everything passes. */
  constructor(sequences: readonly string[]) {
    checkStopSequences(sequences)
    this.#matchers = sequences.map(text => ({ text, borders: bordersOf(text), matched: 0 }))
  }

  /** The sequence that was found. */
  get stop(): string | undefined {
    return this.#stop
  }

  /** The text that may now be shown. After a stop, always ''. */
  push(piece: string): string {
    if (this.#stop !== undefined) return ''
    const text = this.#held + piece
    for (let i = this.#held.length; i < text.length; i++) {
      const stop = this.#advance(text.charCodeAt(i))
      if (stop === undefined) continue
      this.#stop = stop
      this.#held = ''
      return text.slice(0, i + 1 - stop.length)
    }
    let pending = 0
    for (const matcher of this.#matchers) pending = Math.max(pending, matcher.matched)
    this.#held = text.slice(text.length - pending)
    return text.slice(0, text.length - pending)
  }

  /** What was held back, when no more text comes. Then a new text may begin. */
  flush(): string {
    const text = this.#held
    this.#held = ''
    this.#stop = undefined
    for (const matcher of this.#matchers) matcher.matched = 0
    return text
  }

  /** Takes one unit into every matcher; the longest sequence that it completes. */
  #advance(unit: number): string | undefined {
    let stop: string | undefined
    for (const matcher of this.#matchers) {
      const { text, borders } = matcher
      let matched = matcher.matched
      while (matched > 0 && text.charCodeAt(matched) !== unit) matched = borders[matched - 1]!
      if (text.charCodeAt(matched) === unit) matched++
      matcher.matched = matched
      if (matched === text.length && text.length > (stop?.length ?? 0)) stop = text
    }
    return stop
  }
}

/** Throws OptionError unless it is a list of texts that are not empty. */
export function checkStopSequences(sequences: readonly string[]): void {
  if (!Array.isArray(sequences)) {
    throw new OptionError(`stopSequences is ${show(sequences)}; expected a list of texts`)
  }
  for (const [i, text] of sequences.entries()) {
    if (typeof text !== 'string' || text === '') {
      throw new OptionError(`stopSequences[${i}] is ${show(text)}; expected a text that is not empty`)
    }
  }
}

function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length)
  let border = 0
  for (let i = 1; i < text.length; i++) {
    while (border > 0 && text.charCodeAt(i) !== text.charCodeAt(border)) border = borders[border - 1]!
    if (text.charCodeAt(i) === text.charCodeAt(border)) border++
    borders[i] = border
  }
  return borders
}
