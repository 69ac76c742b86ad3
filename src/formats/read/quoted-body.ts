import { type BodyReader, type CallSink, isName, type Verdict } from './body.ts'
import { isBlank, JsonValue, readAll, type Taken } from './json-value.ts'
import { MarkFinder } from './mark-finder.ts'

const MAX_NAME = 256

/**
 * `NAME{KEY:VALUE,…}` (Gemma 4): JSON, but keys stand bare, and texts are between marks in place of quotes. It is rewritten as JSON as it
 * comes. JSON's own strings are read too; a bare word that is no literal is a text, and the call incomplete.
 */
export class QuotedBody implements BodyReader {
  readonly #sink: CallSink
  readonly #prefix: string
  readonly #marks: MarkFinder
  readonly #value: JsonValue
  #state: 'name' | 'between' | 'text' | 'string' | 'key' | 'word' = 'name'
  /** What is read: the name, a key, or a bare word. */
  #text = ''
  #escaped = false
  readonly #stack: string[] = []
  /** In an object, in front of a key. */
  #keyNext = false
  #complete = true

  constructor(sink: CallSink, prefix: string, quote: string) {
    this.#sink = sink
    this.#prefix = prefix
    this.#marks = new MarkFinder([quote])
    this.#value = new JsonValue(text => sink.write(text))
  }

  push(c: string): Verdict {
    if (this.#state === 'name') return this.#inName(c)
    const found = this.#marks.push(c)
    let taken: Taken = 'more'
    for (let i = 0; i < found.text.length && taken === 'more'; i++) taken = this.#character(found.text[i] as string)
    if (found.mark !== null && taken === 'more') taken = this.#quote(found.mark)
    if (taken === 'more') return 'more'
    if (taken === 'done') this.#sink.end(this.#complete)
    else this.#cut()
    return taken === 'done' ? 'done' : 'damaged'
  }

  finish(): boolean {
    if (this.#state === 'name') return false
    for (const c of this.#state === 'text' ? this.#marks.flush() : '') this.#character(c)
    this.#cut()
    return true
  }

  #inName(c: string): Verdict {
    if (c !== '{') {
      this.#text += c
      return this.#text.length > MAX_NAME ? 'not' : 'more'
    }
    const text = this.#text.trim()
    const name = text.startsWith(this.#prefix) ? text.slice(this.#prefix.length).trim() : text
    if (!isName(name) || !this.#sink.accepts(name)) return 'not'
    this.#sink.start(name, null)
    this.#state = 'between'
    return this.#between(c) === 'more' ? 'more' : 'damaged'
  }

  #character(c: string): Taken {
    switch (this.#state) {
      case 'text':
        return this.#json(c === '"' || c === '\\' ? `\\${c}` : c)
      case 'string':
        if (c === '"' && !this.#escaped) this.#state = 'between'
        this.#escaped = c === '\\' && !this.#escaped
        return this.#json(c)
      case 'key':
        if (c !== ':') return this.#longer(c)
        this.#keyNext = false
        this.#state = 'between'
        return this.#json(`${JSON.stringify(this.#text.trim())}:`)
      case 'word':
        if (!',}]'.includes(c)) return this.#longer(c)
        return this.#endWord() === 'more' ? this.#between(c) : 'bad'
      default:
        return this.#between(c)
    }
  }

  #longer(c: string): Taken {
    this.#text += c
    return this.#state === 'key' && (this.#text.length > MAX_NAME || ',{}[]'.includes(c)) ? 'bad' : 'more'
  }

  #between(c: string): Taken {
    if (isBlank(c)) return 'more'
    if (c === '"') this.#state = 'string'
    else if (c === '{' || c === '[') this.#stack.push(c)
    else if (c === '}' || c === ']') this.#stack.pop()
    else if (c === ':') this.#keyNext = false
    else if (c !== ',') {
      this.#text = c
      this.#state = this.#keyNext ? 'key' : 'word'
      return 'more'
    }
    if (c === '{' || c === ',') this.#keyNext = this.#stack.at(-1) === '{'
    else if (c === '[') this.#keyNext = false
    return this.#json(c)
  }

  #quote(mark: string): Taken {
    if (this.#state === 'text' || this.#state === 'between') {
      this.#state = this.#state === 'text' ? 'between' : 'text'
      return this.#json('"')
    }
    let taken: Taken = 'more'
    for (let i = 0; i < mark.length && taken === 'more'; i++) taken = this.#character(mark[i] as string)
    return taken
  }

  #endWord(): Taken {
    this.#state = 'between'
    const word = this.#text.trim()
    const isLiteral = readAll(new JsonValue(() => {}), word)
    if (!isLiteral) this.#complete = false
    return this.#json(isLiteral ? word : JSON.stringify(word))
  }

  #json(text: string): Taken {
    let taken: Taken = 'more'
    for (let i = 0; i < text.length && taken === 'more'; i++) taken = this.#value.push(text[i] as string)
    return taken
  }

  #cut(): void {
    if (this.#state === 'word') this.#endWord()
    this.#value.close()
    this.#sink.end(false)
  }
}
