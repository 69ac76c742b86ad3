import { TokenizerError } from './errors.ts'
import type { Work } from './work.ts'

/** Bytes of a grapheme that is looked up as a whole; of a longer one, its characters are. */
const MAX_BYTES = 5
/** Graphemes whose result is remembered, and the characters of one and its result. */
const MAX_KNOWN = 1 << 14
const MAX_KEPT = 64

const utf8 = new TextEncoder()

/**
 * The normaliser of SentencePiece's models (`Precompiled`): `charsmap` is base64 of the size of a trie in bytes (u32), the trie, and
 * the texts that its values point to. What a grapheme becomes is what its shortest prefix in the trie does, as in the Rust library.
 */
export function precompiled(charsmap: string, where: string): (text: string, work: Work) => string {
  if (charsmap === '') return text => text
  const map = new CharsMap(bytesOf(charsmap, where), where)
  const known = new Map<string, string>()
  const become = (grapheme: string, work: Work): string => {
    const before = known.get(grapheme)
    if (before !== undefined) return before
    let result = map.whole(grapheme)
    if (result === undefined) {
      result = ''
      for (const one of grapheme) {
        result += map.whole(one) ?? one
        work.checkLength(result.length)
      }
    }
    if (known.size < MAX_KNOWN && grapheme.length + result.length <= MAX_KEPT) known.set(grapheme, result)
    return result
  }
  return (text, work) => {
    work.spend(text.length * 16)
    let out = ''
    const add = (grapheme: string) => {
      out += become(grapheme, work)
      work.checkLength(out.length)
    }
    for (const piece of pieces(text)) {
      if (piece.length === 1) add(piece)
      else for (const grapheme of graphemes(piece)) add(grapheme)
    }
    return out
  }
}

/** A text cut where graphemes certainly end: between two characters of ASCII. */
function* pieces(text: string): Iterable<string> {
  let from = 0
  for (let at = 1; at <= text.length; at++) {
    const inside = text.charCodeAt(at - 1) > 0x7f || text.charCodeAt(at) > 0x7f
    if (at < text.length && (inside || (text[at] === '\n' && text[at - 1] === '\r'))) continue
    yield text.slice(from, at)
    from = at
  }
}

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' })
/** A segmenter's time for a text grows with the square of its length. */
const WINDOW = 256

function* graphemes(text: string): Iterable<string> {
  /** Whether the first one of the window began before it. */
  let begun = false
  for (let from = 0; from < text.length; ) {
    const end = from + WINDOW + (isHigh(text.charCodeAt(from + WINDOW - 1)) ? 1 : 0)
    const found = [...segmenter.segment(text.slice(from, end))].map(({ segment }) => segment)
    // The last one may go on behind the window.
    const goesOn = end < text.length
    if (goesOn && found.length > 1) found.pop()
    const isLong = goesOn && found.length === 1 && found[0]?.length === end - from
    for (const [i, segment] of found.entries()) {
      if (i === 0 && (begun || isLong)) yield* segment
      else yield segment
      from += segment.length
    }
    begun = isLong
  }
}

/** Whether a character of two units begins. */
const isHigh = (unit: number): boolean => (unit & 0xfc00) === 0xd800

function bytesOf(base64: string, where: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), one => one.charCodeAt(0))
  } catch {
    throw new TokenizerError(`${where} has a precompiled_charsmap that is no base64`)
  }
}

/** A trie over bytes as a double array (darts-clone's units), and texts that end with a zero. */
class CharsMap {
  readonly #units: DataView
  readonly #count: number
  readonly #texts: Uint8Array

  constructor(bytes: Uint8Array, where: string) {
    const view = new DataView(bytes.buffer)
    const size = bytes.length < 4 ? Number.NaN : view.getUint32(0, true)
    if (!(size % 4 === 0 && size + 4 <= bytes.length)) {
      const met = `of ${bytes.length} bytes, which are too few for the trie that it begins with`
      throw new TokenizerError(`${where} has a precompiled_charsmap ${met}`)
    }
    this.#units = new DataView(bytes.buffer, 4, size)
    this.#count = size / 4
    this.#texts = bytes.subarray(4 + size)
  }

  /** What a text becomes; undefined: it is left as it is, or too long to be looked up. */
  whole(text: string): string | undefined {
    const key = utf8.encode(text)
    if (key.length > MAX_BYTES) return undefined
    let at = offsetOf(this.#unit(0))
    for (const byte of key) {
      if (byte === 0) return undefined
      at ^= byte
      const unit = this.#unit(at)
      if ((unit & LABEL) >>> 0 !== byte) return undefined
      at ^= offsetOf(unit)
      if (unit & HAS_LEAF) return this.#text(this.#unit(at) & VALUE)
    }
    return undefined
  }

  /** Beyond the end a unit that no byte leads to. */
  #unit(at: number): number {
    return at < this.#count ? this.#units.getUint32(4 * at, true) : LABEL
  }

  #text(at: number): string {
    const end = this.#texts.indexOf(0, at)
    return new TextDecoder().decode(this.#texts.subarray(at, end < 0 ? undefined : end))
  }
}

const HAS_LEAF = 1 << 8
const VALUE = 0x7fffffff
/** The byte that leads to a unit; the highest bit marks a value. */
const LABEL = 0x800000ff | 0

/** From a unit to those after it. */
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & (1 << 9)) >>> 6)
