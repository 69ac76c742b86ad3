import type { TextMatcher } from './text-matcher.ts'
import type { Vocabulary } from './vocabulary.ts'

const CHUNK = 8192
/** Forced bytes that are followed at once: a schema's constant may have more than a function takes arguments. */
const MAX_FORCED = 4096

/** A text's bytes, one per character, as tokens are kept. */
export const bytesOf = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text))

/** The tokens of a vocabulary by their bytes, one per character of a text. Made with the first grammar that needs them. */
export class TokenTexts {
  readonly #texts: readonly string[]
  readonly #ids = new Map<string, number[]>()
  /** By their text up to the first quote. */
  readonly #closing = new Map<string, number[]>()
  /** Ids of tokens with a comma or a bracket: only these may have a second item in them. */
  readonly withSecond: readonly number[]
  /** Those of them with a quote, which may leave a string. */
  readonly withBoth: readonly number[]
  /** Characters of the longest one. */
  readonly longest: number

  constructor({ lengths, bytes }: Vocabulary) {
    let all = ''
    for (let at = 0; at < bytes.length; at += CHUNK) all += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
    let at = 0
    this.#texts = Array.from(lengths, length => {
      at += length
      return all.slice(at - length, at)
    })
    this.longest = lengths.reduce((most, length) => Math.max(most, length), 0)
    const withSecond: number[] = []
    for (const [id, text] of this.#texts.entries()) {
      add(this.#ids, text, id)
      const quote = text.indexOf('"')
      if (quote >= 0) add(this.#closing, text.slice(0, quote + 1), id)
      if (/[,[]/.test(text)) withSecond.push(id)
    }
    this.withSecond = withSecond
    this.withBoth = withSecond.filter(id => this.of(id).includes('"'))
  }

  get count(): number {
    return this.#texts.length
  }

  of(id: number): string {
    return this.#texts[id] ?? ''
  }

  /** The ids of a token; none if there is no such one. */
  idsOf(text: string): readonly number[] {
    return this.#ids.get(text) ?? NONE
  }

  /** Bytes by the longest tokens from their start, the first `most` of them; null: no token goes on with them. */
  tokensOf(bytes: string, most = Number.POSITIVE_INFINITY): readonly number[] | null {
    const ids: number[] = []
    for (let at = 0; at < bytes.length && ids.length < most; ) {
      let end = Math.min(bytes.length, at + this.longest)
      while (end > at && this.idsOf(bytes.slice(at, end)).length === 0) end--
      if (end === at) return null
      ids.push(this.idsOf(bytes.slice(at, end))[0] as number)
      at = end
    }
    return ids
  }

  /** Tokens of what has to come next, the first `most` of them, if something has to. */
  forcedBy(matcher: Pick<TextMatcher, 'forced'>, most?: number): readonly number[] | null {
    const bytes = matcher.forced().subarray(0, MAX_FORCED)
    return bytes.length === 0 ? null : this.tokensOf(String.fromCharCode(...bytes), most)
  }

  /** The ids of tokens that begin with the text, whose last character is their first quote. */
  idsClosing(text: string): readonly number[] {
    return this.#closing.get(text) ?? NONE
  }
}

const NONE: readonly number[] = []

function add(map: Map<string, number[]>, text: string, id: number): void {
  const known = map.get(text)
  if (known) known.push(id)
  else map.set(text, [id])
}
