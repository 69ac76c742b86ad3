import { type AddedToken, AddedTokenFinder } from './added-tokens.ts'
import { isObject } from './tokenizer-json.ts'

/** Code points that are no characters. A mark is a binary number between two bars; mark 0 stands for a bar in the text. */
const BAR = '\ufdd0'
const DIGITS = ['\ufdd1', '\ufdd2'] as const
const MARK = /\ufdd0([\ufdd1\ufdd2]+)\ufdd0/g

/** A text without marks, and the positions of the control tokens that were marked. */
export interface Unmarked {
  readonly text: string
  readonly plain: ReadonlySet<number>
}

/** Whether a control token written in this message is meant as a token. */
export type Meant = (token: AddedToken, message: unknown) => boolean

/**
 * Distinguishes control tokens in messages from those that a chat template writes. Each one in a message gets a mark in
 * front, which passes through the template with it and is removed afterwards. A mark names its token, so a mark that a
 * template has separated from its token does not count. A template that strips, splits or compares messages finds their
 * text unchanged, except in front of control tokens.
 */
export class ControlMarks {
  readonly #tokens: readonly AddedToken[]
  readonly #finder: AddedTokenFinder
  readonly #numbers: ReadonlyMap<AddedToken, number>

  constructor(tokens: readonly AddedToken[]) {
    this.#tokens = tokens.filter(token => token.control)
    this.#finder = new AddedTokenFinder(this.#tokens.map(token => [token.content, token]))
    this.#numbers = new Map(this.#tokens.map((token, i) => [token, i + 1]))
  }

  /** Marks control tokens in all strings of the messages, however deep, unless `meant` accepts them as tokens. */
  mark(messages: readonly unknown[], meant: Meant): unknown[] {
    return messages.map(message => this.#mark(message, token => meant(token, message)))
  }

  unmark(marked: string): Unmarked {
    const found: { readonly at: number; readonly token: AddedToken }[] = []
    let taken = 0
    const text = marked.replace(MARK, (mark, digits: string, at: number) => {
      const number = numberOf(digits)
      const shown = number === 0 ? BAR : ''
      const token = this.#tokens[number - 1]
      if (token !== undefined) found.push({ at: at - taken, token })
      taken += mark.length - shown.length
      return shown
    })
    const plain = found.filter(({ at, token }) => text.startsWith(token.content, at)).map(({ at }) => at)
    return { text, plain: new Set(plain) }
  }

  #mark(value: unknown, meant: (token: AddedToken) => boolean): unknown {
    if (typeof value === 'string') return this.#markJoined([value], meant)[0]
    if (Array.isArray(value)) return this.#markParts(value, meant)
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.#mark(inner, meant)]))
  }

  /** A template may join the texts of parts, and so form a token from two halves. */
  #markParts(parts: readonly unknown[], meant: (token: AddedToken) => boolean): unknown[] {
    const texts = parts.map(part => (isObject(part) ? part.text : part))
    const marked = this.#markJoined(
      texts.map(text => (typeof text === 'string' ? text : '')),
      meant,
    )
    return parts.map((part, i) => {
      if (typeof texts[i] !== 'string') return this.#mark(part, meant)
      return isObject(part) ? { ...(this.#mark({ ...part, text: '' }, meant) as object), text: marked[i] } : marked[i]
    })
  }

  #markJoined(texts: readonly string[], meant: (token: AddedToken) => boolean): string[] {
    const found = this.#finder.find(texts.join('')).filter(({ token }) => !meant(token))
    let next = 0
    let begin = 0
    return texts.map(text => {
      let marked = ''
      let shown = 0
      for (; next < found.length && found[next]!.at < begin + text.length; next++) {
        const { at, token } = found[next]!
        marked += `${escaped(text.slice(shown, at - begin))}${markOf(this.#numbers.get(token)!)}`
        shown = at - begin
      }
      begin += text.length
      return marked + escaped(text.slice(shown))
    })
  }
}

function markOf(number: number): string {
  const digits = Array.from(number.toString(2), digit => DIGITS[Number(digit)]!)
  return `${BAR}${digits.join('')}${BAR}`
}

function numberOf(digits: string): number {
  return Array.from(digits).reduce((number, digit) => number * 2 + (digit === DIGITS[1] ? 1 : 0), 0)
}

function escaped(text: string): string {
  return text.includes(BAR) ? text.replaceAll(BAR, markOf(0)) : text
}

/** Methods with which a template searches for a text. */
const SEARCHES = 'r?split|r?partition|r?find|r?index|count|startswith|endswith|removeprefix|removesuffix|replace'

/** Whether a template searches for this token in messages, such as the end of the reasoning in an answer. */
export function looksFor(template: string, token: string): boolean {
  if (!template.includes(token)) return false
  const literal = `["']${token.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}["']`
  return new RegExp(`\\b(?:${SEARCHES})\\(\\s*${literal}|${literal}\\s+(?:not\\s+)?in\\b`).test(template)
}
