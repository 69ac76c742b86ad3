import { BLANK, WORD } from './blanks.ts'
import { ROOT, Trie } from './trie.ts'

/** A token that is searched for in the text before any other processing. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Controls the model; not part of shown text. */
  readonly special: boolean
  /** Begins a turn, ends a text and the like: users may not write it. All special tokens, and others that look like them. */
  readonly control: boolean
  /** Matches only between characters that are not letters, digits or underscores. */
  readonly singleWord: boolean
  /** Matches only where the text begins: the language of a translation. Default false. */
  readonly onlyFirst?: boolean
  /** Includes the blanks before it. */
  readonly lstrip: boolean
  /** Includes the blanks after it. */
  readonly rstrip: boolean
  /** Searched for in the normalised text, in its own normalised form. */
  readonly normalized: boolean
}

/** A section of text and its position, or the id of a token. */
export type Section = { readonly text: string; readonly at: number } | number

/** A token in a text, and the position after it. */
export interface Occurrence {
  readonly at: number
  readonly end: number
  readonly token: AddedToken
}

/**
 * Finds added tokens in a text: the longest at each position, from left to right, as the Rust library does. It walks the
 * text from its end with an Aho-Corasick automaton of the reversed forms, so that at each position it knows the longest
 * token that begins there. The time does not depend on the number of tokens.
 */
export class AddedTokenFinder {
  readonly #trie: Trie
  readonly #link: Int32Array
  /** By node: the longest form that begins where the node's text begins. */
  readonly #longest: (Form | undefined)[]

  /** Each token with its form in the searched text. Throws TokenizerError if they are too long together. */
  constructor(tokens: Iterable<readonly [string, AddedToken]>) {
    const forms = [...tokens].filter(([text]) => text !== '')
    const trie = new Trie(forms.reduce((sum, [text]) => sum + text.length, 0))
    const ends = forms.map(([text]) => trie.addReversed(text))
    this.#trie = trie
    this.#link = new Int32Array(trie.size)
    this.#longest = new Array<undefined>(trie.size).fill(undefined)
    for (const [i, [text, token]] of forms.entries()) this.#longest[ends[i]!] = { token, length: text.length }
    for (const node of trie.byDepth()) {
      const parent = trie.parents[node]!
      const link = parent === ROOT ? ROOT : this.#step(this.#link[parent]!, trie.units[node]!)
      this.#link[node] = link
      this.#longest[node] ??= this.#longest[link]
    }
  }

  /** The non-overlapping tokens of a text, in order. */
  find(text: string): Occurrence[] {
    if (this.#trie.size === 1) return []
    const found: Occurrence[] = []
    let node = ROOT
    for (let at = text.length - 1; at >= 0; at--) {
      node = this.#step(node, text.charCodeAt(at))
      const form = this.#longest[node]
      if (form !== undefined) found.push({ at, end: at + form.length, token: form.token })
    }
    let end = 0
    return found.reverse().filter(occurrence => {
      if (occurrence.at < end) return false
      end = occurrence.end
      return true
    })
  }

  /** Splits a text at its tokens; text sections are not empty. Occurrences for which `isText` is true stay text. */
  split(text: string, isText: (occurrence: Occurrence) => boolean = () => false): Section[] {
    const sections: Section[] = []
    let shown = 0
    let blankEnd = 0
    for (const occurrence of this.find(text)) {
      const { at, end, token } = occurrence
      const touched = token.singleWord && (endsWithWord(text, at) || WORD.test(charAt(text, end)))
      if (touched || (token.onlyFirst && at > 0) || isText(occurrence)) continue
      const from = token.lstrip ? blanksBefore(text, at, shown) : at
      if (from > shown) sections.push({ text: text.slice(shown, from), at: shown })
      sections.push(token.id)
      // The token may itself consist of blanks: do not scan known blanks again.
      if (token.rstrip && end > blankEnd) blankEnd = blanksBehind(text, end)
      shown = token.rstrip ? blankEnd : end
    }
    if (shown < text.length) sections.push({ text: text.slice(shown), at: shown })
    return sections
  }

  #step(node: number, unit: number): number {
    for (;;) {
      const next = this.#trie.child(node, unit)
      if (next >= 0) return next
      if (node === ROOT) return ROOT
      node = this.#link[node]!
    }
  }
}

interface Form {
  readonly token: AddedToken
  readonly length: number
}

function charAt(text: string, at: number): string {
  const code = text.codePointAt(at)
  return code === undefined ? '' : String.fromCodePoint(code)
}

function endsWithWord(text: string, end: number): boolean {
  if (end === 0) return false
  const low = (text.charCodeAt(end - 1) & 0xfc00) === 0xdc00 && end > 1
  return WORD.test(charAt(text, low ? end - 2 : end - 1))
}

/** Not before `start`. */
function blanksBefore(text: string, end: number, start: number): number {
  while (end > start && BLANK.test(text[end - 1]!)) end--
  return end
}

function blanksBehind(text: string, start: number): number {
  while (start < text.length && BLANK.test(text[start]!)) start++
  return start
}
