/** Cached by source: tokenizers use the same few sets, and computing their pages takes time. */
const known = new Map<string, CharSet>()
const KNOWN = 256

/** `source`: an atom, such as `[a-z]` or `\p{L}`. */
export function charSet(source: string): CharSet {
  const found = known.get(source)
  if (found !== undefined) return found
  if (known.size === KNOWN) known.clear()
  const made = new CharSet(source)
  known.set(source, made)
  return made
}

/** The code points that an atom of an expression matches. Each code point that occurs is tested once, with a RegExp. */
export class CharSet {
  readonly #pattern: RegExp
  /** Pages of 256 code points: 1 if a code point belongs to the set. */
  readonly #pages: (Uint8Array | undefined)[] = []

  /** Use `charSet`. */
  constructor(source: string) {
    this.#pattern = new RegExp(`^${source}$`, 'u')
  }

  has(codePoint: number): boolean {
    const page = this.#pages[codePoint >> 8] ?? this.#page(codePoint >> 8)
    return page[codePoint & 0xff] === 1
  }

  #page(number: number): Uint8Array {
    const page = new Uint8Array(256)
    for (let i = 0; i < 256; i++) page[i] = this.#pattern.test(String.fromCodePoint((number << 8) | i)) ? 1 : 0
    this.#pages[number] = page
    return page
  }
}
