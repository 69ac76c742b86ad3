import { OptionError } from '../errors.ts'
import { show } from '../options/show.ts'

/** A stop sequence, and how many of its symbols the end of the text matches so far (Knuth, Morris and Pratt). */
interface Matcher {
  readonly sequence: string
  /** UTF-16 units, and hidden tokens as HIDDEN + id. */
  readonly symbols: readonly number[]
  /** Whether it also matches hidden tokens, or only shown text. */
  readonly seesHidden: boolean
  /** For the first i + 1 symbols: length of the longest proper prefix that is also a suffix. */
  readonly borders: Int32Array
  matched: number
}

/** Hidden tokens, which are not shown (special tokens), are numbered after all UTF-16 units. */
const HIDDEN = 0x10000

/** Splits a text at the hidden tokens that it spells: text parts and token ids. */
export type SplitAtTokens = (text: string) => readonly (string | number)[]

/**
 * Ends a streamed text at the first stop sequence, even one that spans several pieces. The sequence's own text is never
 * returned; text that may begin a sequence is held back until that is decided. The sequence that completes first counts,
 * and of several that complete together the longest: the result does not depend on how the text is cut into pieces.
 * A sequence that spells a hidden token (`<|im_end|>`) matches that token too.
 */
export class StopMatcher {
  readonly #matchers: readonly Matcher[]
  #held: number[] = []
  #pushed = 0
  #stop: string | undefined
  #stopAt = 0

  /** Compares UTF-16 units exactly. An empty list is allowed: all text passes. */
  constructor(sequences: readonly string[], split: SplitAtTokens = text => [text]) {
    checkStopSequences(sequences)
    this.#matchers = sequences.flatMap(sequence => {
      const parts = split(sequence)
      const plain = matcherOf(sequence, [sequence])
      return parts.some(part => typeof part === 'number') ? [plain, matcherOf(sequence, parts)] : [plain]
    })
  }

  /** The sequence that ended the text. */
  get stop(): string | undefined {
    return this.#stop
  }

  /** Number of symbols (UTF-16 units and hidden tokens) so far. */
  get pushed(): number {
    return this.#pushed
  }

  /** Number of symbols before the sequence that ended the text. */
  get stopAt(): number {
    return this.#stopAt
  }

  /** Adds text; returns the text that may now be shown. After a stop, always ''. */
  push(piece: string): string {
    if (this.#stop !== undefined) return ''
    if (this.#matchers.length === 0) return piece
    for (let i = 0; i < piece.length; i++) {
      const stopped = this.#take(piece.charCodeAt(i))
      if (stopped !== undefined) return stopped
    }
    return this.#release()
  }

  /** Adds a hidden token; returns the text that may now be shown. */
  pushHidden(id: number): string {
    if (this.#stop !== undefined || this.#matchers.length === 0) return ''
    return this.#take(HIDDEN + id) ?? this.#release()
  }

  /** Ends the text: returns what was held back and resets the matcher. */
  flush(): string {
    const text = shownOf(this.#held)
    this.#held = []
    this.#stop = undefined
    for (const matcher of this.#matchers) matcher.matched = 0
    return text
  }

  /** Adds a symbol. If it completes a sequence, returns the text before that sequence. */
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

  /** Returns the held text that cannot begin a sequence. */
  #release(): string {
    let start = this.#held.length
    for (const matcher of this.#matchers) start = Math.min(start, this.#startOf(matcher, matcher.matched))
    return shownOf(this.#held.splice(0, start))
  }

  /** Index in #held at which the last `count` symbols visible to a matcher begin. */
  #startOf({ seesHidden }: Matcher, count: number): number {
    let start = this.#held.length
    for (let left = count; left > 0; start--) if (seesHidden || this.#held[start - 1]! < HIDDEN) left--
    return start
  }

  /** Advances every matcher by one symbol; returns the longest sequence that it completes. */
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

/** Throws OptionError unless `sequences` is a list of non-empty texts. */
function checkStopSequences(sequences: readonly string[]): void {
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
