import { quote } from './quote.ts'

/** Nesting limit of skipped values. */
const MAX_DEPTH = 100
const WORD = /true|false|null|NaN|-?Infinity|-?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,9})?/y

/** The message names the position; the caller adds the file's name. */
export class JsonScanError extends Error {}

/** Names what is being read, for messages; called only when an error is thrown. */
type Naming = () => string

/**
 * Reads JSON token by token, for text with a known structure. Unlike JSON.parse it builds only what the caller requests
 * and refuses duplicate keys, so that a hostile file of 100 MB costs no more memory than its text.
 */
export class JsonScanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** `{"key": value, …}`: calls `member` with each key; `member` must read the value. A duplicate key is an error. */
  object(what: Naming, limit: number, member: (key: string) => void): void {
    const keys = new Set<string>()
    this.#sequence('{', '}', what, () => {
      const key = this.string(A_KEY)
      if (keys.has(key)) throw this.#error(`the key ${quote(key)} comes twice in ${what()}`)
      if (keys.size === limit) throw this.#error(`${what()} has more than ${limit} keys`)
      keys.add(key)
      this.#expect(':', () => `":" after the key ${quote(key)}`)
      member(key)
    })
  }

  /** `[1, 2, …]`: non-negative integers below 2^53, without fraction or exponent. */
  integers(what: Naming, limit: number): number[] {
    const values: number[] = []
    this.#sequence('[', ']', what, () => {
      if (values.length === limit) throw this.#error(`${what()} has more than ${limit} elements`)
      values.push(this.#integer(what))
    })
    return values
  }

  string(what: Naming): string {
    this.#space()
    const start = this.#at
    if (this.#text[start] !== '"') throw this.#error(`${this.#met()} instead of ${what()} in quotes`)
    let end = start
    do {
      end = this.#text.indexOf('"', end + 1)
      if (end < 0) throw this.#error('a string does not end')
    } while (this.#escaped(end))
    this.#at = end + 1
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string
    } catch {
      this.#at = start
      throw this.#error(`the string ${quote(this.#text.slice(start + 1, end))} has a bad escape or control character`)
    }
  }

  /** The first character of the next value, unread; empty at the end. */
  next(): string {
    this.#space()
    return this.#text.charAt(this.#at)
  }

  /** Skips any value. */
  skip(what: Naming, depth = 0): void {
    if (depth > MAX_DEPTH) throw this.#error(`${what()} nests more than ${MAX_DEPTH} levels`)
    const next = this.next()
    if (next === '"') this.string(what)
    else if (next === '{') {
      this.#sequence('{', '}', what, () => {
        this.string(A_KEY)
        this.#expect(':', () => `":" in ${what()}`)
        this.skip(what, depth + 1)
      })
    } else if (next === '[') this.#sequence('[', ']', what, () => this.skip(what, depth + 1))
    else this.#skipWord(what)
  }

  /** A number, true, false, null, or one of Python's NaN and Infinity. */
  #skipWord(what: Naming): void {
    WORD.lastIndex = this.#at
    const word = WORD.exec(this.#text)?.[0]
    if (word === undefined) throw this.#error(`${this.#met()} instead of ${what()}`)
    this.#at += word.length
  }

  /** Nothing but white space may follow. */
  end(): void {
    this.#space()
    if (this.#at < this.#text.length) throw this.#error(`${this.#met()} after the end`)
  }

  /** A quote after an odd number of backslashes belongs to the string. */
  #escaped(quoteAt: number): boolean {
    let i = quoteAt
    while (this.#text[i - 1] === '\\') i--
    return (quoteAt - i) % 2 === 1
  }

  #integer(what: Naming): number {
    this.#space()
    const start = this.#at
    while (isDigit(this.#text.charCodeAt(this.#at))) this.#at++
    const digits = this.#text.slice(start, Math.min(this.#at, start + 32))
    const next = this.#text[this.#at]
    const value = Number(digits)
    const plain = digits !== '' && next !== '.' && next !== 'e' && next !== 'E' && !/^0\d/.test(digits)
    if (plain && this.#at - start < 32 && Number.isSafeInteger(value)) return value
    this.#at = start
    const met = /^[^\s,\]}]*/.exec(this.#text.slice(start, start + 24))?.[0] || this.#text.slice(start, start + 1)
    throw this.#error(`${quote(met)} in ${what()}; expected an integer from 0 to 2^53 - 1`)
  }

  #sequence(open: string, close: string, what: Naming, element: () => void): void {
    this.#expect(open, () => `"${open}", which begins ${what()}`)
    this.#space()
    if (this.#text[this.#at] === close) {
      this.#at++
      return
    }
    for (;;) {
      element()
      this.#space()
      const next = this.#text[this.#at]
      if (next !== ',' && next !== close) throw this.#error(`${this.#met()} in ${what()}; expected "," or "${close}"`)
      this.#at++
      if (next === close) return
    }
  }

  #expect(symbol: string, what: Naming): void {
    this.#space()
    if (this.#text[this.#at] !== symbol) throw this.#error(`${this.#met()} instead of ${what()}`)
    this.#at++
  }

  #space(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at)
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return
      this.#at++
    }
  }

  #met(): string {
    const rest = this.#text.slice(this.#at, this.#at + 12)
    return rest === '' ? 'the end' : quote(rest)
  }

  #error(message: string): JsonScanError {
    return new JsonScanError(`${message} (character ${this.#at})`)
  }
}

const A_KEY = () => 'a key'

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
