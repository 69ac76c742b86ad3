import { BLANK, isSpace } from '../values/text.ts'
import { unescapeString } from './strings.ts'
import { type Operator, syntaxError, type Token, type TokenType } from './tokens.ts'

const NAME = /[\p{ID_Continue}\u00b7\u2118\u212e\u309b\u309c]+/uy
const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u
const FLOAT = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}><=.:|,;]/y
const TAG = /\{[%{#]/g
const BLANKS = `[${BLANK}]*`
const RAW = new RegExp(`\\{%([-+]?)${BLANKS}raw${BLANKS}-?%\\}`, 'y')
const ENDRAW = new RegExp(`\\{%([-+]?)${BLANKS}endraw${BLANKS}([-+]?)%\\}`, 'g')
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' }

/** Cuts a template into tokens, as Jinja does with `trim_blocks` and `lstrip_blocks`. Time is linear in the source. */
export function tokenize(source: string): Token[] {
  return new Lexer(source.replace(/\r\n|\r/g, '\n').replace(/\n$/, '')).run()
}

class Lexer {
  readonly #source: string
  readonly #tokens: Token[] = []
  #at = 0
  #line = 1
  /** The first line break that has not been counted. */
  #nextBreak: number
  /** The text before the current place ended with a line break: blanks before a block tag may go. */
  #lineStarts = true

  constructor(source: string) {
    this.#source = source
    this.#nextBreak = this.#breakBehind(0)
  }

  run(): Token[] {
    while (this.#at < this.#source.length) this.#root()
    this.#push('eof', '')
    return this.#tokens
  }

  #push(type: TokenType, value: string): void {
    this.#tokens.push({ type, value, line: this.#line })
  }

  #breakBehind(from: number): number {
    const found = this.#source.indexOf('\n', from)
    return found < 0 ? Number.POSITIVE_INFINITY : found
  }

  /** Moves on and counts lines. */
  #advance(to: number): void {
    while (this.#nextBreak < to) {
      this.#line++
      this.#nextBreak = this.#breakBehind(this.#nextBreak + 1)
    }
    this.#at = to
  }

  #root(): void {
    TAG.lastIndex = this.#at
    const tag = TAG.exec(this.#source)
    if (tag === null) {
      this.#push('data', this.#source.slice(this.#at))
      this.#advance(this.#source.length)
      return
    }
    const kind = tag[0]
    RAW.lastIndex = tag.index
    const raw = kind === '{%' ? RAW.exec(this.#source) : null
    const mark = raw === null ? this.#source[tag.index + 2] : raw[1]
    const sign = mark === '-' || mark === '+' ? mark : ''
    this.#data(tag.index, sign, kind !== '{{')
    if (raw !== null) {
      this.#raw(raw[0])
      return
    }
    this.#advance(tag.index + 2 + sign.length)
    if (kind === '{#') this.#comment()
    else this.#tag(kind === '{%' ? 'block' : 'variable')
  }

  /** Adds the text before a tag. The tag's sign (`-`, `+`), or that it opens a block, decides whether blanks at its end are removed. */
  #data(end: number, sign: string, block: boolean): void {
    const text = this.#source.slice(this.#at, end)
    let kept = text
    if (sign === '-') kept = text.slice(0, withoutBlanks(text))
    else if (sign === '' && block) {
      const lineStart = text.lastIndexOf('\n') + 1
      if ((lineStart > 0 || this.#lineStarts) && withoutBlanks(text.slice(lineStart)) === 0)
        kept = text.slice(0, lineStart)
    }
    if (kept !== '') this.#push('data', kept)
    this.#advance(end)
  }

  #comment(): void {
    const end = this.#source.indexOf('#}', this.#at)
    if (end < 0) throw syntaxError('Missing end of comment tag', this.#line)
    const sign = end > this.#at ? this.#source[end - 1]! : ''
    this.#close(end + 2, sign, true)
  }

  #raw(opening: string): void {
    let start = this.#at + opening.length
    if (opening.endsWith('-%}')) start = this.#skipBlanks(start)
    this.#advance(start)
    ENDRAW.lastIndex = start
    const end = ENDRAW.exec(this.#source)
    if (end === null) throw syntaxError('Missing end of raw directive', this.#line)
    this.#lineStarts = this.#source[start - 1] === '\n'
    this.#data(end.index, end[1]!, true)
    this.#close(end.index + end[0].length, end[2]!, true)
  }

  /** Moves past a closing tag. Its sign (`-`, `+`), or that it closes a block, decides whether the blanks after it are removed. */
  #close(end: number, sign: string, block: boolean): void {
    let next = end
    if (sign === '-') next = this.#skipBlanks(end)
    else if (sign !== '+' && block && this.#source[end] === '\n') next = end + 1
    this.#advance(next)
    this.#lineStarts = this.#source[next - 1] === '\n'
  }

  #skipBlanks(from: number): number {
    let at = from
    while (at < this.#source.length && isSpace(this.#source.charCodeAt(at))) at++
    return at
  }

  #tag(kind: 'block' | 'variable'): void {
    const source = this.#source
    const end = kind === 'block' ? '%}' : '}}'
    this.#push(`${kind}_begin`, '')
    const open: string[] = []
    for (;;) {
      this.#advance(this.#skipBlanks(this.#at))
      if (this.#at >= source.length) return
      if (open.length === 0) {
        const unit = source[this.#at]!
        const sign = unit === '-' || (unit === '+' && kind === 'block') ? unit : ''
        if (source.startsWith(end, this.#at + sign.length)) {
          this.#push(`${kind}_end`, '')
          this.#close(this.#at + sign.length + 2, sign, kind === 'block')
          return
        }
      }
      this.#expressionToken(open)
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#source)?.[0]
  }

  #expressionToken(open: string[]): void {
    const unit = this.#source[this.#at]!
    const float = this.#source[this.#at - 1] === '.' ? undefined : this.#match(FLOAT)
    const integer = float === undefined ? this.#match(INTEGER) : undefined
    const name = (float ?? integer) === undefined ? this.#match(NAME) : undefined
    if (name !== undefined && !IDENTIFIER.test(name)) throw syntaxError('Invalid character in identifier', this.#line)
    if (float !== undefined) this.#take('float', float)
    else if (integer !== undefined) this.#take('integer', integer)
    else if (name !== undefined) this.#take('name', name)
    else if (unit === '"' || unit === "'") this.#string(unit)
    else this.#operator(unit, open)
  }

  #operator(unit: string, open: string[]): void {
    const operator = this.#match(OPERATOR)
    if (operator === undefined) {
      throw syntaxError(`unexpected char ${JSON.stringify(unit)} at ${this.#at}`, this.#line)
    }
    if (operator in CLOSING) open.push(CLOSING[operator]!)
    else if (operator === '}' || operator === ')' || operator === ']') {
      const expected = open.pop()
      if (expected !== operator) {
        const hint = expected === undefined ? '' : `, expected '${expected}'`
        throw syntaxError(`unexpected '${operator}'${hint}`, this.#line)
      }
    }
    this.#take(operator as Operator, operator)
  }

  #take(type: TokenType, text: string): void {
    this.#push(type, text)
    this.#advance(this.#at + text.length)
  }

  #string(quote: string): void {
    let end = this.#at + 1
    while (end < this.#source.length && this.#source[end] !== quote) end += this.#source[end] === '\\' ? 2 : 1
    if (end >= this.#source.length) {
      throw syntaxError(`unexpected char ${quote === "'" ? `"'"` : `'"'`} at ${this.#at}`, this.#line)
    }
    this.#push('string', unescapeString(this.#source.slice(this.#at + 1, end), this.#line))
    this.#advance(end + 1)
  }
}

/** Index of the first trailing blank of a text. */
function withoutBlanks(text: string): number {
  let end = text.length
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--
  return end
}
