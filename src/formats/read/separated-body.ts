import { type BodyReader, type CallSink, isName, type Verdict } from './body.ts'
import { isBlank, JsonValue } from './json-value.ts'

const MAX_HEAD = 512

/**
 * NAME separator {…}, as DeepSeek-V3.1 and Kimi write it; or KIND separator NAME line break, and {…} in a fence of Markdown,
 * as DeepSeek-V3 does. Kimi's name is an id, `functions.NAME:IDX`, or the number alone; Mistral Small 3.2's is followed by
 * `[CALL_ID]` and an id of its own.
 */
export class SeparatedBody implements BodyReader {
  readonly #sink: CallSink
  readonly #separator: string
  #state: 'head' | 'separated' | 'line' | 'fence' | 'arguments' = 'head'
  #text = ''
  #head = ''
  #started = false
  /** Of a call whose name must be guessed from its arguments; null: they stream. */
  #unnamed: string | null = null
  readonly #value = new JsonValue(text => {
    if (this.#unnamed === null) this.#sink.write(text)
    else this.#unnamed += text
  })

  constructor(sink: CallSink, separator: string) {
    this.#sink = sink
    this.#separator = separator
  }

  push(c: string): Verdict {
    switch (this.#state) {
      case 'head':
        this.#text += c
        if (this.#text.length > MAX_HEAD) return 'not'
        if (!this.#text.endsWith(this.#separator)) return 'more'
        this.#head = this.#text.slice(0, -this.#separator.length).trim()
        this.#text = ''
        this.#state = 'separated'
        return 'more'
      case 'separated':
        if (isBlank(c)) return 'more'
        if (c === '{') return this.#begin(this.#head) ? this.#argument(c) : 'not'
        if (c === '`') {
          this.#state = 'fence'
          return this.#begin(this.#head) ? 'more' : 'not'
        }
        this.#state = 'line'
        this.#text = c
        return 'more'
      case 'line':
        if (c !== '\n' && c !== '`' && c !== '{') {
          this.#text += c
          return this.#text.length > MAX_HEAD ? 'not' : 'more'
        }
        if (!this.#begin(this.#text.trim())) return 'not'
        this.#state = 'fence'
        return c === '{' ? this.#argument(c) : 'more'
      case 'fence':
        if (c === '{') return this.#argument(c)
        // "```json" in front of the arguments; anything else are no arguments.
        return isBlank(c) || '`json'.includes(c) ? 'more' : this.#damaged()
      default:
        return this.#argument(c)
    }
  }

  finish(): boolean {
    if (this.#unnamed !== null) return this.#guess(false)
    if (this.#started) this.#end(false)
    return this.#started
  }

  #begin(written: string): boolean {
    const [head = '', id] = written.split('[CALL_ID]')
    const [, name = head, number] = /^(?:functions\.)?(.*?)(?::(\d+))?$/s.exec(head) ?? []
    if (/^\d+$/.test(head)) {
      this.#unnamed = ''
      return true
    }
    if (!isName(name) || !this.#sink.accepts(name)) return false
    this.#started = true
    this.#sink.start(name, number === undefined ? id || null : head)
    return true
  }

  #argument(c: string): Verdict {
    this.#state = 'arguments'
    const taken = this.#value.push(c)
    if (taken === 'more') return 'more'
    return taken === 'done' ? this.#end(true) : this.#damaged()
  }

  #damaged(): Verdict {
    return this.#end(false) === 'done' ? 'damaged' : 'not'
  }

  #end(complete: boolean): Verdict {
    if (this.#unnamed !== null) return this.#guess(complete) ? 'done' : 'not'
    if (this.#value.started) this.#value.close()
    else this.#sink.write('{}')
    this.#sink.end(complete)
    return 'done'
  }

  #guess(complete: boolean): boolean {
    this.#value.close()
    const text = this.#unnamed as string
    const given: unknown = JSON.parse(text)
    const keys = typeof given === 'object' && given !== null ? Object.keys(given) : []
    const name = this.#sink.guess(keys)
    if (name === null) return false
    this.#sink.start(name, `functions.${name}:${this.#head}`)
    this.#sink.write(text === 'null' ? '{}' : text)
    this.#sink.end(complete)
    return true
  }
}
