import { Exceeded } from '../errors.ts'
import { describeToken, syntaxError, type Token, type TokenType } from './tokens.ts'

/**
 * Deepest nesting of a template's own text. Published ones stay below 20; beyond some 70 Python's compiler gives up.
 */
const MAX_DEPTH = 100

/** Tokens one after the other, with what both parsers need. */
export class Stream {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get current(): Token {
    return this.#tokens[this.#at]!
  }

  get following(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)]!
  }

  next(): Token {
    const token = this.current
    if (token.type !== 'eof') this.#at++
    return token
  }

  is(type: TokenType, value?: string): boolean {
    return this.current.type === type && (value === undefined || this.current.value === value)
  }

  skipIf(type: TokenType, value?: string): boolean {
    if (!this.is(type, value)) return false
    this.next()
    return true
  }

  expect(type: TokenType, value?: string): Token {
    if (this.is(type, value)) return this.next()
    const wanted = value ?? describeToken({ type, value: type, line: 0 })
    const { line } = this.current
    if (this.is('eof')) throw syntaxError(`unexpected end of template, expected '${wanted}'.`, line)
    throw syntaxError(`expected token '${wanted}', got '${describeToken(this.current)}'`, line)
  }

  /** Runs a part of the parser that may call itself. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) {
      throw new Exceeded(`nests deeper than ${MAX_DEPTH} levels (line ${this.current.line})`)
    }
    const result = parse()
    this.#depth--
    return result
  }
}
