import type { StopMatcher } from '../../sampling/stop-sequences.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'

export interface TextStreamOptions {
  readonly tokenizer: Tokenizer
  /** Null: no stop sequence ends the text. */
  readonly stops: StopMatcher | null
  /** Ids that the text goes on from, of which the last few are looked at; empty: it begins anew. */
  readonly after: readonly number[]
  readonly skipSpecialTokens: boolean
  /** Stop sequences count in what comes after so many tokens. */
  readonly minTokens?: number
}

/** Ids before the first one that can change how it reads: a character has at most four bytes. */
const LOOK_BACK = 8

/** Generated ids into text that may be shown: whole characters, no stop sequence. */
export class TextStream {
  readonly #options: TextStreamOptions
  readonly #detokenizer: ReturnType<Tokenizer['detokenizer']>
  /** What the stops had seen after each token. */
  readonly #pushed: number[] = []

  constructor(options: TextStreamOptions) {
    this.#options = options
    this.#detokenizer = this.#begin()
  }

  /** The stop sequence that ended the text. */
  get stopSequence(): string | undefined {
    return this.#options.stops?.stop
  }

  /** The text that the token makes certain, and whether a stop sequence came after it. */
  push(token: number): { readonly text: string; readonly stopped: boolean } {
    const { stops, tokenizer, skipSpecialTokens, minTokens = 0 } = this.#options
    const shown = this.#detokenizer.push(token)
    if (!stops) return { text: shown, stopped: false }
    if (this.#pushed.length < minTokens) {
      this.#pushed.push(0)
      return { text: shown, stopped: false }
    }
    const hidden = skipSpecialTokens && tokenizer.isSpecial(token)
    const text = hidden ? stops.pushHidden(token) : stops.push(shown)
    this.#pushed.push(stops.pushed)
    return { text, stopped: stops.stop !== undefined }
  }

  /** A token that ends the text and is not part of it: what may be shown before it, and whether it completes a stop. */
  end(token: number): { readonly text: string; readonly stopped: boolean } {
    const { stops, tokenizer, skipSpecialTokens } = this.#options
    const rest = this.#detokenizer.flush()
    if (!stops) return { text: rest, stopped: false }
    const unfinished = stops.push(rest)
    const ending = skipSpecialTokens ? '' : tokenizer.decode([token])
    const text = unfinished + (skipSpecialTokens ? stops.pushHidden(token) : stops.push(ending))
    if (stops.stop !== undefined) return { text, stopped: true }
    const all = text + stops.flush()
    return { text: all.slice(0, all.length - ending.length), stopped: false }
  }

  /** What was held back, when no more tokens come: an unfinished character as U+FFFD. */
  flush(): string {
    const { stops } = this.#options
    const rest = this.#detokenizer.flush()
    return stops ? stops.push(rest) + stops.flush() : rest
  }

  /** What was held back as the possible beginning of a stop sequence, when the text is given up where it is. */
  release(): string {
    return this.#options.stops?.flush() ?? ''
  }

  /**
   * Ids of a text that a stop sequence has cut within the given ids: the first `keep` of them, then `tail`. Where the
   * vocabulary cannot write the cut token's remaining text, that token is kept whole.
   */
  tokensOf(text: string, tokens: readonly number[]): { readonly keep: number; readonly tail: readonly number[] } {
    const { tokenizer, stops } = this.#options
    const stopAt = stops?.stopAt ?? Number.POSITIVE_INFINITY
    let keep = tokens.findLastIndex((_, i) => this.#pushed[i]! <= stopAt) + 1
    while (keep > 0 && !text.startsWith(this.#decode(tokens.slice(0, keep)))) keep--
    const rest = text.slice(this.#decode(tokens.slice(0, keep)).length)
    if (rest === '') return { keep, tail: [] }
    const tail = tokenizer.encode(rest, { addSpecialTokens: false, parseSpecial: false })
    if (this.#decode([...tokens.slice(0, keep), ...tail]) === text) return { keep, tail }
    return { keep: keep + 1, tail: [] }
  }

  #decode(tokens: readonly number[]): string {
    const detokenizer = this.#begin()
    return tokens.map(token => detokenizer.push(token)).join('') + detokenizer.flush()
  }

  /** A detokeniser that has seen the end of what comes before: a leading space is not the beginning of a text. */
  #begin(): ReturnType<Tokenizer['detokenizer']> {
    const { tokenizer, after, skipSpecialTokens } = this.#options
    const detokenizer = tokenizer.detokenizer({ skipSpecialTokens })
    for (const token of after.slice(-LOOK_BACK)) detokenizer.push(token)
    return detokenizer
  }
}
