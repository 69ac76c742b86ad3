/** Deepest nesting of one value; deeper ones count as damaged. */
const MAX_DEPTH = 128
/** Longest number, literal or escape, in characters. A schema without bounds lets a number have as many digits as there are tokens. */
const MAX_WORD = 1 << 16

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const LITERALS: Readonly<Record<string, string>> = {
  true: 'true',
  false: 'false',
  null: 'null',
  True: 'true',
  False: 'false',
  None: 'null',
  NaN: 'null',
  undefined: 'null',
}
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\\n',
  t: '\\t',
  r: '\\r',
  b: '\\b',
  f: '\\f',
  '/': '/',
  '\\': '\\\\',
}

/**
 * What a character did: it is part of the value; it ended it; the value had ended before it (numbers); or no value goes on
 * with it.
 */
export type Taken = 'more' | 'done' | 'before' | 'bad'

type State = 'value' | 'first-value' | 'first-key' | 'key' | 'colon' | 'after' | 'string' | 'word'

/**
 * Reads one value of JSON or of Python's literals, character by character, and writes it as JSON as it comes, without the
 * blanks between tokens: what is written so far, and `close()`, are always valid JSON together. Forgives what models do:
 * a comma too many, single quotes, line breaks in strings, `True`, `None`, tuples.
 */
export class JsonValue {
  readonly #write: (text: string) => void
  readonly #stack: ('{' | '[')[] = []
  #state: State = 'value'
  #quote = '"'
  /** Being read: a number, a literal, or an escape. */
  #word = ''
  /** A key, until its value begins. */
  #key: string | null = null
  #inKey = false
  /** A separator that is written with what follows it. */
  #pending = ''
  /** The first half of a pair of surrogates, as it is written. */
  #half = ''
  #started = false

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  /** Whether anything of the value has come. */
  get started(): boolean {
    return this.#started
  }

  push(c: string): Taken {
    switch (this.#state) {
      case 'string':
        return this.#string(c)
      case 'word':
        return this.#wordChar(c)
    }
    if (isBlank(c)) return 'more'
    switch (this.#state) {
      case 'first-value':
      case 'value':
        return this.#value(c)
      case 'first-key':
      case 'key':
        return this.#keyBegin(c)
      case 'colon':
        if (c !== ':') return 'bad'
        this.#state = 'value'
        return 'more'
      default:
        return this.#after(c)
    }
  }

  /** Ends a value that ends with the text, such as a number; false: it is incomplete. */
  end(): boolean {
    if (this.#state === 'word' && this.#stack.length === 0) return this.#endWord()
    return this.#started && this.#state === 'after' && this.#stack.length === 0
  }

  /** Writes what makes an incomplete value valid. A value that has not begun becomes null. */
  close(): void {
    if (this.#state === 'word') this.#endWord()
    if (this.#state === 'string' && !this.#inKey) this.#write(this.#quoteEnd())
    if (!this.#started) this.#write('null')
    for (const open of this.#stack.splice(0).reverse()) this.#write(open === '{' ? '}' : ']')
    this.#started = true
    this.#state = 'after'
  }

  #value(c: string): Taken {
    if (c === ']' && this.#state === 'first-value') return this.#pop()
    // A comma too many: the list ends after it.
    if ((c === ']' || c === ')') && this.#stack.at(-1) === '[') return this.#pop()
    if (c === '{' || c === '[' || c === '(') {
      if (this.#stack.length >= MAX_DEPTH) return 'bad'
      const open = c === '{' ? '{' : '['
      this.#begin(open)
      this.#stack.push(open)
      this.#state = open === '{' ? 'first-key' : 'first-value'
      return 'more'
    }
    if (c === '"' || c === "'") {
      this.#begin('"')
      this.#openString(c)
      return 'more'
    }
    if (!/[\w.+-]/.test(c)) return 'bad'
    this.#word = c
    this.#state = 'word'
    return 'more'
  }

  #keyBegin(c: string): Taken {
    if (c === '}') return this.#pop()
    if (c !== '"' && c !== "'") return 'bad'
    this.#key = ''
    this.#inKey = true
    this.#openString(c)
    return 'more'
  }

  #after(c: string): Taken {
    const open = this.#stack.at(-1)
    if (c === ',') {
      this.#pending = ','
      this.#state = open === '{' ? 'key' : 'value'
      return open === undefined ? 'bad' : 'more'
    }
    if ((c === '}' && open === '{') || ((c === ']' || c === ')') && open === '[')) return this.#pop()
    return 'bad'
  }

  #pop(): Taken {
    this.#pending = ''
    this.#write(this.#stack.pop() === '{' ? '}' : ']')
    this.#state = 'after'
    return this.#stack.length === 0 ? 'done' : 'more'
  }

  /** The first text of a value, after the separator and the key that lead to it. */
  #begin(text: string): void {
    const key = this.#key === null ? '' : `"${this.#key}":`
    this.#write(`${this.#pending}${key}${text}`)
    this.#pending = ''
    this.#key = null
    this.#started = true
  }

  #openString(quote: string): void {
    this.#quote = quote
    this.#word = ''
    this.#half = ''
    this.#state = 'string'
  }

  #string(c: string): Taken {
    if (this.#word !== '') return this.#escape(c)
    if (c === '\\') {
      this.#word = c
      return 'more'
    }
    if (c !== this.#quote) {
      this.#put(c === '"' ? '\\"' : c < ' ' ? JSON.stringify(c).slice(1, -1) : c, c.charCodeAt(0))
      return 'more'
    }
    const end = this.#quoteEnd()
    if (this.#inKey) {
      this.#inKey = false
      this.#state = 'colon'
      return 'more'
    }
    this.#write(end)
    this.#state = 'after'
    return this.#stack.length === 0 ? 'done' : 'more'
  }

  #escape(c: string): Taken {
    this.#word += c
    const unicode = this.#word[1] === 'u'
    if (unicode && this.#word.length < 6 && (this.#word.length === 2 || isHex(c))) return 'more'
    const word = this.#word
    this.#word = ''
    if (unicode && /^\\u[0-9a-fA-F]{4}$/.test(word)) this.#put(word, Number.parseInt(word.slice(2), 16))
    else if (unicode) {
      // No escape after all: the characters are meant.
      this.#put('\\\\', 0)
      for (const letter of word.slice(1, -1)) this.#put(letter, 0)
      return this.#string(c)
    } else if (c === '"') this.#put('\\"', 0)
    else if (c === "'") this.#put("'", 0)
    else if (c !== '\n') this.#put(ESCAPES[c] ?? `\\\\${c}`, 0)
    return 'more'
  }

  /** Characters of a string, as JSON has them; `code`: to keep pairs of surrogates together. */
  #put(text: string, code: number): void {
    const isLow = code >= 0xdc00 && code < 0xe000
    // A half without the other is no character.
    const shown = isLow ? (this.#half === '' ? '' : this.#half + text) : text
    this.#half = ''
    if (code >= 0xd800 && code < 0xdc00) this.#half = text
    else if (this.#inKey) this.#key += shown
    else this.#write(shown)
  }

  #quoteEnd(): string {
    this.#half = ''
    this.#word = ''
    return '"'
  }

  #wordChar(c: string): Taken {
    if (/[\w.+-]/.test(c)) {
      this.#word += c
      return this.#word.length > MAX_WORD ? 'bad' : 'more'
    }
    if (!this.#endWord()) return 'bad'
    if (this.#stack.length === 0) return 'before'
    return isBlank(c) ? 'more' : this.#after(c)
  }

  #endWord(): boolean {
    const word = LITERALS[this.#word] ?? number(this.#word)
    this.#word = ''
    this.#state = 'after'
    if (word === null) return false
    this.#begin(word)
    return true
  }
}

export function isBlank(c: string): boolean {
  return c === ' ' || c === '\n' || c === '\t' || c === '\r'
}

function isHex(c: string): boolean {
  return /[0-9a-fA-F]/.test(c)
}

/** A number as JSON writes it; null: none. */
function number(word: string): string | null {
  if (NUMBER.test(word)) return word
  const plain = word.replaceAll('_', '')
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(plain)) return null
  const value = Number(plain)
  return Number.isFinite(value) ? String(value) : null
}

/** Reads a whole text as one value; false: it is not complete, but is valid JSON all the same. */
export function readAll(value: JsonValue, text: string): boolean {
  let taken: Taken = 'more'
  for (let i = 0; i < text.length && taken !== 'bad'; i++) {
    if (taken === 'done') taken = isBlank(text[i] as string) ? 'done' : 'bad'
    else taken = value.push(text[i] as string)
    if (taken === 'before') taken = isBlank(text[i] as string) ? 'done' : 'bad'
  }
  const complete = taken !== 'bad' && value.end()
  value.close()
  return complete
}
