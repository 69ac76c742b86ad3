import type { BodyReader, CallSink, Verdict } from './body.ts'
import { isBlank, JsonValue, readAll } from './json-value.ts'

const ARGUMENTS = ['arguments', 'parameters', 'args']
const OTHERS = ['type', 'id', 'index', 'function']

type State = 'begin' | 'key' | 'in-key' | 'colon' | 'value' | 'between' | 'ended'

/**
 * `{"name": NAME, "arguments": {…}}`, one or a list of them; the keys in any order, also inside `"function": {…}`. Arguments
 * stream if the name stands before them.
 */
export class ObjectBody implements BodyReader {
  readonly #sink: CallSink
  #state: State = 'begin'
  #inList = false
  #inFunction = false
  #key = ''
  #name: string | null = null
  #started = false
  /** A call before this one has begun: what follows is no text. */
  #later = false
  /** Arguments, while the name is not known; null: none were given. */
  #arguments: string | null = null
  #complete = true
  #value: JsonValue | null = null
  /** The value's text, unless it streams. */
  #text = ''
  #streams = false

  constructor(sink: CallSink) {
    this.#sink = sink
  }

  push(c: string): Verdict {
    switch (this.#state) {
      case 'in-key':
        if (c !== '"') this.#key += c
        else if (!this.#started && !this.#knows(this.#key)) return this.#damaged()
        else this.#state = 'colon'
        return this.#key.length > 64 ? this.#damaged() : 'more'
      case 'value':
        return this.#inValue(c)
    }
    if (isBlank(c)) return 'more'
    switch (this.#state) {
      case 'begin':
        if (c === '[' && !this.#inList) this.#inList = true
        else if (c === ']' && this.#inList) return 'done'
        else if (c === '{') this.#state = 'key'
        else return 'not'
        return 'more'
      case 'colon':
        if (c !== ':') return this.#damaged()
        this.#state = 'value'
        return 'more'
      case 'key':
        if (c === ',') return 'more'
        if (c === '}') return this.#objectEnd()
        if (c !== '"') return this.#damaged()
        this.#key = ''
        this.#state = 'in-key'
        return 'more'
      case 'between':
        if (c === ',') return 'more'
        if (c === ']') return 'done'
        if (c !== '{') return 'before'
        this.#state = 'key'
        return 'more'
      default:
        return 'before'
    }
  }

  finish(): boolean {
    if (this.#state === 'between' || this.#state === 'ended') return true
    if (this.#started) this.#cut()
    return this.#later
  }

  #knows(key: string): boolean {
    return key === 'name' || ARGUMENTS.includes(key) || OTHERS.includes(key)
  }

  #inValue(c: string): Verdict {
    if (this.#value === null) {
      if (isBlank(c)) return 'more'
      if (this.#key === 'function' && c === '{' && !this.#inFunction) {
        this.#inFunction = true
        this.#state = 'key'
        return 'more'
      }
      this.#begin(c)
    }
    const taken = (this.#value as JsonValue).push(c)
    if (taken === 'bad') return this.#damaged()
    if (taken === 'more') return 'more'
    const good = this.#endValue()
    if (!good) return this.#damaged()
    this.#state = 'key'
    return taken === 'before' ? this.push(c) : 'more'
  }

  #begin(c: string): void {
    this.#text = ''
    this.#streams = ARGUMENTS.includes(this.#key) && c === '{' && this.#arguments === null
    if (this.#streams) {
      this.#start()
      this.#arguments = ''
    }
    this.#value = new JsonValue(text => {
      if (!this.#streams) this.#text += text
      else if (this.#started) this.#sink.write(text)
      else this.#arguments += text
    })
  }

  /** False: this is no call. */
  #endValue(): boolean {
    this.#value = null
    if (this.#streams) return true
    if (ARGUMENTS.includes(this.#key)) this.#otherArguments()
    else if (this.#key === 'name' || this.#key === 'function') return this.#named(JSON.parse(this.#text))
    return true
  }

  /** Arguments that are no object: a text that holds one, or none at all. */
  #otherArguments(): void {
    const given: unknown = JSON.parse(this.#text)
    if (this.#arguments !== null) return
    let written = ''
    if (typeof given === 'string' && given.trim() !== '') {
      const inner = new JsonValue(text => {
        written += text
      })
      this.#complete &&= readAll(inner, given.trim())
    } else this.#complete &&= given === null || given === ''
    this.#arguments = written.startsWith('{') ? written : '{}'
    if (written !== '' && !written.startsWith('{')) this.#complete = false
    if (this.#started) this.#sink.write(this.#arguments)
  }

  #named(name: unknown): boolean {
    if (this.#started) return true
    if (typeof name !== 'string' || name === '' || !this.#sink.accepts(name)) return false
    this.#name = name
    return this.#arguments === null || this.#start()
  }

  #start(): boolean {
    if (this.#started) return true
    if (this.#name === null) return false
    this.#started = true
    this.#later = true
    this.#sink.start(this.#name, null)
    if (this.#arguments) this.#sink.write(this.#arguments)
    return true
  }

  #objectEnd(): Verdict {
    if (this.#inFunction) {
      this.#inFunction = false
      return 'more'
    }
    if (!this.#start()) return this.#damaged()
    if (this.#arguments === null) this.#sink.write('{}')
    this.#sink.end(this.#complete)
    this.#reset()
    this.#state = this.#inList ? 'between' : 'ended'
    return this.#inList ? 'more' : 'done'
  }

  /** The text is no JSON. What follows a call that has begun is dropped up to the call's end. */
  #damaged(): Verdict {
    if (!this.#started && !this.#later) return 'not'
    if (this.#started) this.#cut()
    this.#state = 'ended'
    return 'damaged'
  }

  #cut(): void {
    if (this.#streams && this.#value !== null) this.#value.close()
    else if (this.#arguments === null) this.#sink.write('{}')
    this.#sink.end(false)
    this.#reset()
    this.#state = 'ended'
  }

  #reset(): void {
    this.#value = null
    this.#name = null
    this.#arguments = null
    this.#started = false
    this.#complete = true
    this.#streams = false
  }
}
