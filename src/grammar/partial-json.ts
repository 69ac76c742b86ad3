/** What a JSON text says so far, read as it grows. */

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A list or an object that has not ended. */
interface Open {
  readonly value: Json[] | { [key: string]: Json }
  /** Of the property that is being read. */
  key: string | undefined
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/**
 * Reads JSON piece by piece. After each `push`, `value` has all that is certain: lists and objects as far as they go,
 * strings as far as they were written, numbers and names once they have ended. Each character is read once. It reads what
 * is valid, and does not check: `JSON.parse` of the whole text is the check.
 */
export class PartialJson {
  #root: Json | undefined
  readonly #open: Open[] = []
  /** Of a string: its content so far. Of a number or a name: its characters. */
  #token = ''
  #state: 'between' | 'string' | 'escape' | 'unicode' | 'plain' = 'between'
  #digits = ''
  #isKey = false

  /** The value so far; undefined before its first character. The same object grows: copy it to keep it. */
  get value(): Json | undefined {
    return this.#root
  }

  /** Adds text; returns the value so far. */
  push(text: string): Json | undefined {
    for (let at = 0; at < text.length; at++) {
      if (this.#state === 'string') at = this.#string(text, at)
      else this.#character(text[at] as string)
    }
    const inString = this.#state === 'string' || this.#state === 'escape' || this.#state === 'unicode'
    if (inString && !this.#isKey) this.#put(this.#token)
    return this.#root
  }

  /** Takes the rest of a string up to its end; returns the index of the last character that was read. */
  #string(text: string, from: number): number {
    let at = from
    while (at < text.length && text[at] !== '"' && text[at] !== '\\') at++
    this.#token += text.slice(from, at)
    if (text[at] === '\\') this.#state = 'escape'
    else if (text[at] === '"') this.#endString()
    return at
  }

  #endString(): void {
    this.#state = 'between'
    const open = this.#open.at(-1)
    if (this.#isKey && open) open.key = this.#token
    else this.#put(this.#token)
  }

  #character(character: string): void {
    if (this.#state === 'escape') {
      this.#state = character === 'u' ? 'unicode' : 'string'
      this.#digits = ''
      if (character !== 'u') this.#token += ESCAPES[character] ?? character
      return
    }
    if (this.#state === 'unicode') {
      this.#digits += character
      if (this.#digits.length < 4) return
      this.#token += String.fromCharCode(Number.parseInt(this.#digits, 16))
      this.#state = 'string'
      return
    }
    if (this.#state === 'plain') {
      if (!/[\s,\]}]/.test(character)) {
        this.#token += character
        return
      }
      this.#endPlain()
    }
    this.#between(character)
  }

  #between(character: string): void {
    const open = this.#open.at(-1)
    switch (character) {
      case '{':
      case '[': {
        const value: Open['value'] = character === '{' ? {} : []
        this.#put(value, true)
        this.#open.push({ value, key: undefined })
        break
      }
      case '}':
      case ']':
        this.#open.pop()
        break
      case '"':
        this.#state = 'string'
        this.#token = ''
        this.#isKey = open !== undefined && !Array.isArray(open.value) && open.key === undefined
        if (!this.#isKey) this.#put('', true)
        break
      case ',':
        if (open) open.key = undefined
        break
      case ':':
      case ' ':
      case '\n':
      case '\r':
      case '\t':
        break
      default:
        this.#state = 'plain'
        this.#token = character
    }
  }

  #endPlain(): void {
    this.#state = 'between'
    try {
      this.#put(JSON.parse(this.#token) as Json, true)
    } catch {
      // Not JSON: the check of the whole says so.
    }
  }

  /** Sets the value that is being read; `first`: it is new. */
  #put(value: Json, first = false): void {
    const open = this.#open.at(-1)
    if (open === undefined) this.#root = value
    else if (Array.isArray(open.value)) {
      if (first) open.value.push(value)
      else open.value[open.value.length - 1] = value
    } else if (open.key !== undefined) {
      // As JSON.parse does it: also a property with a name of the language's own.
      Object.defineProperty(open.value, open.key, { value, writable: true, enumerable: true, configurable: true })
    }
  }

  /** Ends the text: a number at the top ends with it. */
  end(): Json | undefined {
    if (this.#state === 'plain') this.#endPlain()
    return this.#root
  }
}
