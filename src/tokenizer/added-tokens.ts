/** A token that is looked for in the text before anything else is done with it. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Steers the model; left out of text that is shown. */
  readonly special: boolean
  /** Only where no letter, digit or underscore touches it. */
  readonly singleWord: boolean
  /** Takes the blanks before it with it. */
  readonly lstrip: boolean
  /** Takes the blanks behind it with it. */
  readonly rstrip: boolean
  /** Looked for in the normalised text, in its own normalised form. */
  readonly normalized: boolean
}

/** A stretch of text, or the id of a token that stands there. */
export type Section = string | number

interface Node {
  token: AddedToken | undefined
  readonly next: Map<number, Node>
}

/** Finds added tokens in a text: at every place the longest, from left to right, as the Rust library does. */
export class AddedTokenFinder {
  readonly #root: Node = { token: undefined, next: new Map() }

  /** Each with the form it has in the text that will be searched. */
  constructor(tokens: Iterable<readonly [string, AddedToken]>) {
    for (const [form, token] of tokens) {
      if (form === '') continue
      let node = this.#root
      for (let i = 0; i < form.length; i++) {
        const unit = form.charCodeAt(i)
        let next = node.next.get(unit)
        if (next === undefined) {
          next = { token: undefined, next: new Map() }
          node.next.set(unit, next)
        }
        node = next
      }
      node.token = token
    }
  }

  /** The text and the tokens in it, in order; stretches of text are not empty. Special ones only if they are wanted. */
  split(text: string, special = true): Section[] {
    if (this.#root.next.size === 0) return text === '' ? [] : [text]
    const sections: Section[] = []
    let shown = 0
    let at = 0
    while (at < text.length) {
      const found = this.#longestAt(text, at)
      if (found === undefined) {
        at++
        continue
      }
      const [token, end] = found
      const touched = token.singleWord && (endsWithWord(text, at) || WORD.test(charAt(text, end)))
      if (touched || (token.special && !special)) {
        at = end
        continue
      }
      const from = token.lstrip ? Math.max(shown, blanksBefore(text, at)) : at
      if (from > shown) sections.push(text.slice(shown, from))
      sections.push(token.id)
      shown = token.rstrip ? blanksBehind(text, end) : end
      at = end
    }
    if (shown < text.length) sections.push(text.slice(shown))
    return sections
  }

  #longestAt(text: string, start: number): [AddedToken, number] | undefined {
    let node = this.#root.next.get(text.charCodeAt(start))
    let found: [AddedToken, number] | undefined
    for (let i = start + 1; node !== undefined; i++) {
      if (node.token !== undefined) found = [node.token, i]
      if (i >= text.length) break
      node = node.next.get(text.charCodeAt(i))
    }
    return found
  }
}

/** Unicode's words and blanks; JavaScript's own \w and \s are others. */
const WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u
const BLANK = /^\p{White_Space}$/u

function charAt(text: string, at: number): string {
  const code = text.codePointAt(at)
  return code === undefined ? '' : String.fromCodePoint(code)
}

function endsWithWord(text: string, end: number): boolean {
  if (end === 0) return false
  const low = (text.charCodeAt(end - 1) & 0xfc00) === 0xdc00 && end > 1
  return WORD.test(charAt(text, low ? end - 2 : end - 1))
}

function blanksBefore(text: string, end: number): number {
  while (end > 0 && BLANK.test(text[end - 1]!)) end--
  return end
}

function blanksBehind(text: string, start: number): number {
  while (start < text.length && BLANK.test(text[start]!)) start++
  return start
}
