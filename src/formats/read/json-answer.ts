import type { BlockReader, CallSink, Verdict } from './body.ts'
import { isBlank, JsonValue } from './json-value.ts'
import { ObjectBody } from './object-body.ts'

const CALLS = ['tool_calls', 'tool_call']

/** An answer that is JSON as a whole: `{"tool_calls": […]}`, `{"response": TEXT}`, or a call alone. */
export class JsonAnswer implements BlockReader {
  readonly #sink: CallSink
  readonly #unwraps: boolean
  #state: 'begin' | 'in-key' | 'colon' | 'calls' | 'response' | 'call' | 'end' | 'after' = 'begin'
  #key = ''
  /** What was read so far, for a call alone. */
  #read = ''
  #body: ObjectBody | null = null
  #response: JsonValue | null = null
  /** The character that was read after the answer. */
  #rest = ''

  /** `unwraps`: whether `{"response": TEXT}` is the text. */
  constructor(sink: CallSink, unwraps: boolean) {
    this.#sink = sink
    this.#unwraps = unwraps
  }

  push(c: string): Verdict {
    switch (this.#state) {
      case 'begin':
        this.#read += c
        if (isBlank(c)) return 'more'
        if (c === '[' && this.#read.trim() === '[') return this.#call()
        if (c === '{') return this.#read.trim() === '{' ? 'more' : 'not'
        this.#state = 'in-key'
        return c === '"' ? 'more' : 'not'
      case 'in-key':
        this.#read += c
        if (c !== '"') this.#key += c
        else if (CALLS.includes(this.#key) || (this.#unwraps && this.#key === 'response')) this.#state = 'colon'
        else return this.#call()
        return this.#key.length > 32 ? 'not' : 'more'
      case 'colon':
        if (c !== ':') return isBlank(c) ? 'more' : 'not'
        if (this.#key === 'response') this.#state = 'response'
        else {
          this.#state = 'calls'
          // The key says what it is: names that are not known are calls too.
          this.#body = new ObjectBody({ ...this.#sink, accepts: () => true })
        }
        return 'more'
      case 'response':
        return this.#inResponse(c)
      case 'calls':
      case 'call':
        return this.#inCalls(c)
      case 'end':
        if (c === '}') this.#state = 'after'
        return isBlank(c) || c === '}' ? 'more' : this.#before(c)
      default:
        return isBlank(c) || c === '`' ? 'more' : this.#before(c)
    }
  }

  get rest(): string {
    return this.#rest
  }

  finish(): boolean {
    if (this.#state === 'end' || this.#state === 'after') return true
    if (this.#response !== null) return this.#response.started
    return this.#body?.finish() ?? false
  }

  #call(): Verdict {
    this.#body = new ObjectBody(this.#sink)
    this.#state = 'call'
    const read = this.#read
    let verdict: Verdict = 'more'
    for (let i = 0; i < read.length && verdict === 'more'; i++) verdict = this.#body.push(read[i] as string)
    return verdict
  }

  #inCalls(c: string): Verdict {
    const verdict = this.#body?.push(c) ?? 'not'
    if (verdict === 'more' || verdict === 'not') return verdict
    this.#state = this.#state === 'call' ? 'after' : 'end'
    return verdict === 'done' ? 'more' : this.push(c)
  }

  #before(c: string): Verdict {
    this.#rest = c
    return 'before'
  }

  #inResponse(c: string): Verdict {
    if (this.#response === null) {
      if (isBlank(c)) return 'more'
      if (c !== '"') return 'not'
      // Each text that is written is a quote or whole characters.
      this.#response = new JsonValue(text => {
        if (text !== '"') this.#sink.say(JSON.parse(`"${text}"`) as string)
      })
    }
    const taken = this.#response.push(c)
    if (taken !== 'done') return 'more'
    this.#state = 'end'
    return 'more'
  }
}
