import { OptionError } from '../errors.ts'
import { show } from '../options/show.ts'

/** One sequence and how much of it the end of the text so far matches (Knuth, Morris and Pratt). */
interface Matcher {
  readonly sequence: string
  /** UTF-16 units, and tokens as HIDDEN + id. */
  readonly symbols: readonly number[]
  /** It looks at tokens that are not shown; else it looks at what is shown only. */
  readonly seesHidden: boolean
  /** Of the first i + 1 symbols: the longest proper beginning that is also an end. */
  readonly borders: Int32Array
  matched: number
}

/** Behind all UTF-16 units. */
const HIDDEN = 0x10000

/** A text with the tokens in it that are not shown as ids; joined it is the text. */
export type SplitAtTokens = (text: string) => readonly (string | number)[]

/**
 * Cuts a text that arrives in pieces at the first of several sequences. A stop is found across pieces and its text is
 * never given out; text that may be the beginning of one waits until that is decided. Of several sequences the one
 * that is complete first counts, of those complete at once the longest: the result does not depend on the pieces.
 * A sequence may contain the texts of tokens that are not shown (`<|im_end|>`): then it is these tokens as well.
 */
export class StopMatcher {
  readonly #matchers: readonly Matcher[]
  #held: number[] = []
  #pushed = 0
  #stop: string | undefined
  #stopAt = 0

  /** Sequences are compared as they are, by UTF-16 units. None at all is allowed: everything passes. */
  constructor(sequences: readonly string[], split: SplitAtTokens = text => [text]) {
    checkStopSequences(sequences)
    this.#matchers = sequences.flatMap(sequence => {
      const parts = split(sequence)
      const plain = matcherOf(sequence, [sequence])
      return parts.some(part => typeof part === 'number') ? [plain, matcherOf(sequence, parts)] : [plain]
    })
  }

  /** The sequence that was found. */
  get stop(): string | undefined {
    return this.#stop
  }

  /** UTF-16 units and hidden tokens so far. */
  get pushed(): number {
    return this.#pushed
  }

  /** Where the sequence that was found begins: how many of them are before it. */
  get stopAt(): number {
    return this.#stopAt
  }

  /** The text that may now be shown. After a stop, always ''. */
  push(piece: string): string {
    if (this.#stop !== undefined) return ''
    if (this.#matchers.length === 0) return piece
    for (let i = 0; i < piece.length; i++) {
      const stopped = this.#take(piece.charCodeAt(i))
      if (stopped !== undefined) return stopped
    }
    return this.#release()
  }

  /** A token that is not shown. The text that may now be shown. */
  pushHidden(id: number): string {
    if (this.#stop !== undefined || this.#matchers.length === 0) return ''
    return this.#take(HIDDEN + id) ?? this.#release()
  }

  /** What was held back, when no more text comes. Then a new text may begin. */
  flush(): string {
    const text = shownOf(this.#held)
    this.#held = []
    this.#stop = undefined
    for (const matcher of this.#matchers) matcher.matched = 0
    return text
  }

  /** What comes before the stop, if this symbol completes one. */
  #take(symbol: number): string | undefined {
    this.#held.push(symbol)
    this.#pushed++
    const complete = this.#advance(symbol)
    if (complete === undefined) return undefined
    const start = this.#startOf(complete, complete.symbols.length)
    const shown = shownOf(this.#held.slice(0, start))
    this.#stop = complete.sequence
    this.#stopAt = this.#pushed - this.#held.length + start
    this.#held = []
    return shown
  }

  /** Gives out what begins no sequence. */
  #release(): string {
    let start = this.#held.length
    for (const matcher of this.#matchers) start = Math.min(start, this.#startOf(matcher, matcher.matched))
    return shownOf(this.#held.splice(0, start))
  }

  /** Where the last `count` symbols that a matcher sees begin in what is held. */
  #startOf({ seesHidden }: Matcher, count: number): number {
    let start = this.#held.length
    for (let left = count; left > 0; start--) if (seesHidden || this.#held[start - 1]! < HIDDEN) left--
    return start
  }

  /** Takes one symbol into every matcher; the longest sequence that it completes. */
  #advance(symbol: number): Matcher | undefined {
    let complete: Matcher | undefined
    for (const matcher of this.#matchers) {
      if (symbol >= HIDDEN && !matcher.seesHidden) continue
      const { symbols, borders } = matcher
      let matched = matcher.matched
      while (matched > 0 && symbols[matched] !== symbol) matched = borders[matched - 1]!
      if (symbols[matched] === symbol) matched++
      matcher.matched = matched
      if (matched === symbols.length && matcher.sequence.length > (complete?.sequence.length ?? 0)) complete = matcher
    }
    return complete
  }
}

function matcherOf(sequence: string, parts: readonly (string | number)[]): Matcher {
  const symbols = parts.flatMap(part => (typeof part === 'number' ? HIDDEN + part : unitsOf(part)))
  return { sequence, symbols, seesHidden: parts.some(Number.isInteger), borders: bordersOf(symbols), matched: 0 }
}

function unitsOf(text: string): number[] {
  return Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
}

function shownOf(symbols: readonly number[]): string {
  let text = ''
  for (const symbol of symbols) if (symbol < HIDDEN) text += String.fromCharCode(symbol)
  return text
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

function bordersOf(symbols: readonly number[]): Int32Array {
  const borders = new Int32Array(symbols.length)
  let border = 0
  for (let i = 1; i < symbols.length; i++) {
    while (border > 0 && symbols[i] !== symbols[border]) border = borders[border - 1]!
    if (symbols[i] === symbols[border]) border++
    borders[i] = border
  }
  return borders
}
