import { type BodyReader, type CallSink, isName, type Verdict } from './body.ts'
import { isBlank, JsonValue } from './json-value.ts'

const MAX_WORD = 256

/**
 * `NAME(k=v, …)` with Python's literals, in a fence of Markdown or without; a method `.call` of the name is left out
 * (Llama's built-in tools).
 */
export class PythonBody implements BodyReader {
  readonly #sink: CallSink
  #state: 'begin' | 'fence' | 'name' | 'argument' | 'key' | 'equals' | 'value' = 'begin'
  #word = ''
  #name = ''
  #place = 0
  #separator = '{'
  #value: JsonValue | null = null

  constructor(sink: CallSink) {
    this.#sink = sink
  }

  push(c: string): Verdict {
    switch (this.#state) {
      case 'begin':
        // One list may have them all.
        if (isBlank(c) || c === '[') return 'more'
        if (c === '`') this.#state = 'fence'
        else if (/[\p{L}_]/u.test(c)) {
          this.#word = c
          this.#state = 'name'
        } else return 'not'
        return 'more'
      case 'fence':
        if (c === '\n') this.#state = 'begin'
        return c === '\n' || /[`\w]/.test(c) ? 'more' : 'not'
      case 'name':
        if (c === '(') return this.#begin()
        this.#word += c
        return this.#word.length <= MAX_WORD && isName(this.#word) ? 'more' : 'not'
      default:
        return this.#argument(c)
    }
  }

  finish(): boolean {
    if (this.#name === '') return false
    this.#close(false)
    return true
  }

  #begin(): Verdict {
    const name = this.#word.replace(/\.call$/, '')
    if (!this.#sink.accepts(name)) return 'not'
    this.#name = name
    this.#sink.start(name, null)
    this.#state = 'argument'
    return 'more'
  }

  #argument(c: string): Verdict {
    switch (this.#state) {
      case 'argument':
        if (isBlank(c) || c === ',') return 'more'
        if (c === ')') return this.#close(true)
        this.#word = c
        if (/[\p{L}_]/u.test(c)) this.#state = 'key'
        else return this.#positional()
        return 'more'
      case 'key':
      case 'equals':
        if (c === '=') return this.#named()
        if (isBlank(c)) this.#state = 'equals'
        else if (this.#state === 'key' && /[\p{L}\w-]/u.test(c) && this.#word.length < MAX_WORD) this.#word += c
        else {
          // No name but a literal, such as True.
          const taken = this.#positional()
          return taken === 'more' ? this.#inValue(c) : taken
        }
        return 'more'
      default:
        return this.#inValue(c)
    }
  }

  #named(): Verdict {
    this.#writeKey(this.#sink.parameter(this.#name, this.#word))
    return 'more'
  }

  #positional(): Verdict {
    const word = this.#word
    this.#writeKey(this.#sink.parameter(this.#name, this.#place))
    for (const c of word) {
      const taken = this.#inValue(c)
      if (taken !== 'more') return taken
    }
    return 'more'
  }

  #writeKey(key: string): void {
    this.#place++
    const before = `${this.#separator}${JSON.stringify(key)}:`
    this.#separator = ','
    this.#sink.write(before)
    this.#value = new JsonValue(text => this.#sink.write(text))
    this.#state = 'value'
  }

  #inValue(c: string): Verdict {
    const taken = this.#value?.push(c)
    if (taken === 'more') return 'more'
    if (taken === 'bad') {
      this.#close(false)
      return 'damaged'
    }
    this.#value = null
    this.#state = 'argument'
    return taken === 'before' ? this.#argument(c) : 'more'
  }

  #close(complete: boolean): Verdict {
    this.#value?.close()
    this.#sink.write(this.#separator === '{' ? '{}' : '}')
    this.#sink.end(complete)
    return 'done'
  }
}
