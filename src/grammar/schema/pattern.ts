/** JavaScript's regular expressions in the syntax of Rust, as far as a finite automaton can hold them. */

/** What \s is in JavaScript. */
const SPACES = '\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}'
const CLASSES: Readonly<Record<string, string>> = { d: '0-9', w: '0-9A-Za-z_', s: SPACES }
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 }
const MAX_REPEAT = 20_000

/** Why a pattern cannot be held: the end of a sentence, and what is expected. */
export class PatternProblem extends Error {
  readonly expected: string

  constructor(message: string, expected = 'one without') {
    super(message)
    this.expected = expected
  }
}

/**
 * Translates a pattern. Throws PatternProblem for what no automaton holds (lookarounds, references back, word boundaries)
 * and for what is no pattern. `dotAll`: `.` matches line breaks, too. Groups capture nothing; lazy and greedy are the same language.
 */
export function rustPattern(pattern: string, { dotAll = false }: { readonly dotAll?: boolean } = {}): string {
  if (!isPattern(pattern))
    throw new PatternProblem('is no regular expression of JavaScript', 'one that new RegExp takes')
  return new Translator(pattern, dotAll).run()
}

/** A pattern of this text alone. */
export const literalPattern = (text: string): string => [...text].map(literal).join('')

/** With the flag u or without: published schemas have both. `others`: further flags. */
export function compilePattern(pattern: string, others = ''): RegExp | undefined {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, others + flags)
    } catch {}
  }
  return undefined
}

const isPattern = (pattern: string): boolean => compilePattern(pattern) !== undefined

class Translator {
  readonly #characters: readonly string[]
  readonly #dotAll: boolean
  #at = 0
  #out = ''

  constructor(pattern: string, dotAll: boolean) {
    this.#characters = [...pattern]
    this.#dotAll = dotAll
  }

  run(): string {
    while (this.#at < this.#characters.length) this.#one()
    return this.#out
  }

  #peek(ahead = 0): string {
    return this.#characters[this.#at + ahead] ?? ''
  }

  #take(): string {
    return this.#characters[this.#at++] ?? ''
  }

  #one(): void {
    const character = this.#take()
    switch (character) {
      case '\\':
        this.#out += this.#escape(false)
        break
      case '[':
        this.#out += this.#class()
        break
      case '(':
        this.#group()
        break
      case '.':
        this.#out += this.#dotAll ? '(?s:.)' : '[^\\n\\r\\x{2028}\\x{2029}]'
        break
      case '{':
        this.#braces()
        break
      case '|':
      case ')':
      case '^':
      case '$':
      case '*':
      case '+':
      case '?':
        this.#out += character
        break
      default:
        this.#out += literal(character)
    }
  }

  #group(): void {
    if (this.#peek() === '?') {
      const kind = this.#peek(1)
      if (kind === '=' || kind === '!') throw new PatternProblem('looks ahead')
      if (kind === '<' && (this.#peek(2) === '=' || this.#peek(2) === '!')) throw new PatternProblem('looks behind')
      if (kind === '<') while (this.#take() !== '>');
      else if (kind === ':') this.#at += 2
      else throw new PatternProblem('changes flags inside')
    }
    this.#out += '(?:'
  }

  /** A counted repetition; elsewhere, a brace is itself. */
  #braces(): void {
    const rest = this.#characters.slice(this.#at, this.#at + 24).join('')
    const counts = /^(\d+)(,(\d*))?\}/.exec(rest)
    if (counts === null) {
      this.#out += '\\{'
      return
    }
    const [whole, low = '', comma, high = ''] = counts
    if (Math.max(Number(low), Number(high)) > MAX_REPEAT) {
      throw new PatternProblem(`repeats more than ${MAX_REPEAT} times`)
    }
    this.#at += whole.length
    this.#out += comma === undefined ? `{${low}}` : `{${low},${high}}`
  }

  #class(): string {
    let out = '['
    if (this.#peek() === '^') out += this.#take()
    const start = out.length
    while (this.#peek() !== ']') {
      const from = this.#atom()
      const ranges = this.#peek() === '-' && this.#peek(1) !== ']'
      if (ranges) this.#take()
      const to = ranges ? this.#atom() : undefined
      // Beside a set, the dash is itself.
      const dash = from.set || to?.set ? '\\-' : '-'
      out += to === undefined ? from.text : from.text + dash + to.text
    }
    this.#take()
    if (out.length > start) return `${out}]`
    if (start === 2) return '(?s:.)'
    throw new PatternProblem('has an empty class')
  }

  #atom(): { readonly text: string; readonly set: boolean } {
    const character = this.#take()
    if (character !== '\\') return { text: literal(character), set: false }
    const set = /[dDwWsSpP]/.test(this.#peek())
    return { text: this.#escape(true), set }
  }

  #escape(inside: boolean): string {
    const character = this.#take()
    const lower = character.toLowerCase()
    const set = CLASSES[lower]
    if (set !== undefined && 'dDwWsS'.includes(character)) {
      const negated = character !== lower
      if (negated) return `[^${set}]`
      return inside ? set : `[${set}]`
    }
    if (lower === 'b' && !inside) throw new PatternProblem('has a word boundary')
    if (character === 'b') return '\\x{8}'
    if (lower === 'p' && this.#peek() === '{') {
      let name = ''
      this.#take()
      while (this.#peek() !== '}') name += this.#take()
      this.#take()
      return `\\${character}{${name}}`
    }
    if (lower === 'k' && !inside && this.#peek() === '<') throw new PatternProblem('refers back')
    if (/[1-9]/.test(character)) throw new PatternProblem('refers back')
    return code(this.#codePoint(character))
  }

  #codePoint(character: string): number {
    const control = CONTROLS[character]
    if (control !== undefined) return control
    if (character === 'x') return this.#hex(2) ?? 0x78
    if (character === 'u') {
      if (this.#peek() === '{') {
        this.#take()
        let digits = ''
        while (this.#peek() !== '}') digits += this.#take()
        this.#take()
        const point = Number.parseInt(digits, 16)
        if (!(point <= 0x10ffff)) throw new PatternProblem(`has \\u{${digits}}`, 'characters up to \\u{10ffff}')
        return point
      }
      const high = this.#hex(4)
      if (high === undefined) return 0x75
      if (high < 0xd800 || high > 0xdfff) return high
      if (this.#peek() === '\\' && this.#peek(1) === 'u') {
        this.#at += 2
        const low = this.#hex(4) ?? 0
        if (high < 0xdc00 && low >= 0xdc00) return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
      }
      throw new PatternProblem('has half a surrogate pair')
    }
    if (character === 'c') return (this.#take().codePointAt(0) ?? 0) & 31
    return character.codePointAt(0) ?? 0x5c
  }

  #hex(length: number): number | undefined {
    const digits = this.#characters.slice(this.#at, this.#at + length).join('')
    if (!new RegExp(`^[0-9A-Fa-f]{${length}}$`).test(digits)) return undefined
    this.#at += length
    return Number.parseInt(digits, 16)
  }
}

const code = (point: number): string => `\\x{${point.toString(16)}}`
const literal = (character: string): string => (/[\w ]/.test(character) ? character : escaped(character))

/** Any character may be written by its number, so that no syntax of Rust's meets it. */
function escaped(character: string): string {
  const point = character.codePointAt(0) as number
  if (point >= 0xd800 && point <= 0xdfff) throw new PatternProblem('has half a surrogate pair')
  return code(point)
}
