import { BLANK, WORD } from './blanks.ts'
import { TokenizerError } from './errors.ts'
import { NumberTable } from './models/number-table.ts'

/** A token that is looked for in the text before anything else is done with it. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Steers the model; left out of text that is shown. */
  readonly special: boolean
  /** Begins a turn, ends a text and the like: not for a user to write. All special tokens, and others of their kind. */
  readonly control: boolean
  /** Only where no letter, digit or underscore touches it. */
  readonly singleWord: boolean
  /** Takes the blanks before it with it. */
  readonly lstrip: boolean
  /** Takes the blanks behind it with it. */
  readonly rstrip: boolean
  /** Looked for in the normalised text, in its own normalised form. */
  readonly normalized: boolean
}

/** A stretch of text and where it begins, or the id of a token that stands there. */
export type Section = { readonly text: string; readonly at: number } | number

/** A token in a text, and the place behind it. */
export interface Occurrence {
  readonly at: number
  readonly end: number
  readonly token: AddedToken
}

/** UTF-16 units of all forms together. No published tokenizer is near it, and a node of the trie takes some 40 bytes. */
const MAX_UNITS = 1 << 20
const ROOT = 0

/**
 * Finds added tokens in a text: at every place the longest, from left to right, as the Rust library does. A trie of the
 * forms read backwards with links to the next shorter suffix (Aho and Corasick) walks the text from its end, so that it
 * knows the longest token that begins at a place when it gets there: the time does not depend on the tokens.
 */
export class AddedTokenFinder {
  /** By node * 65,536 + unit. */
  readonly #next = new NumberTable()
  readonly #link: number[] = [ROOT]
  /** The longest form that begins where a node's text does. */
  readonly #longest: (Form | undefined)[] = [undefined]

  /** Each with the form it has in the text that will be searched. Throws TokenizerError where they are too long. */
  constructor(tokens: Iterable<readonly [string, AddedToken]>) {
    const layers: Entry[][] = []
    for (const [text, token] of tokens) {
      if (text === '') continue
      let node = ROOT
      for (let depth = 0; depth < text.length; depth++) {
        node = this.#child(node, text.charCodeAt(text.length - 1 - depth), depth, layers)
      }
      this.#longest[node] = { token, length: text.length }
    }
    for (const layer of layers) {
      for (const { node, parent, unit } of layer) {
        const link = parent === ROOT ? ROOT : this.#step(this.#link[parent]!, unit)
        this.#link[node] = link
        this.#longest[node] ??= this.#longest[link]
      }
    }
  }

  /** Tokens that do not overlap, in order. */
  find(text: string): Occurrence[] {
    if (this.#link.length === 1) return []
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

  /** The text and the tokens in it, in order; stretches of text are not empty. What `isText` says stays text. */
  split(text: string, isText: (occurrence: Occurrence) => boolean = () => false): Section[] {
    const sections: Section[] = []
    let shown = 0
    let blankEnd = 0
    for (const occurrence of this.find(text)) {
      const { at, end, token } = occurrence
      const touched = token.singleWord && (endsWithWord(text, at) || WORD.test(charAt(text, end)))
      if (touched || isText(occurrence)) continue
      const from = token.lstrip ? blanksBefore(text, at, shown) : at
      if (from > shown) sections.push({ text: text.slice(shown, from), at: shown })
      sections.push(token.id)
      // The token may itself be of blanks: those that are known are not gone through again.
      if (token.rstrip && end > blankEnd) blankEnd = blanksBehind(text, end)
      shown = token.rstrip ? blankEnd : end
    }
    if (shown < text.length) sections.push({ text: text.slice(shown), at: shown })
    return sections
  }

  #child(node: number, unit: number, depth: number, layers: Entry[][]): number {
    const key = node * 0x10000 + unit
    const known = this.#next.get(key)
    if (known >= 0) return known
    const child = this.#link.length
    if (child > MAX_UNITS) {
      throw new TokenizerError(`the added tokens have more than ${MAX_UNITS} characters; latentkit takes no more`)
    }
    this.#next.set(key, child)
    this.#link.push(ROOT)
    this.#longest.push(undefined)
    const layer = layers[depth]
    if (layer) layer.push({ node: child, parent: node, unit })
    else layers[depth] = [{ node: child, parent: node, unit }]
    return child
  }

  #step(node: number, unit: number): number {
    for (;;) {
      const next = this.#next.get(node * 0x10000 + unit)
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

interface Entry {
  readonly node: number
  readonly parent: number
  readonly unit: number
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
