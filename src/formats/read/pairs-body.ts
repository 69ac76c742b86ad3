import type { Pairs } from '../table/format.ts'
import { type BodyReader, type CallSink, isName, type Verdict } from './body.ts'
import { isBlank, JsonValue } from './json-value.ts'
import { MarkFinder } from './mark-finder.ts'
import { PairValue } from './pair-value.ts'

const MAX_NAME = 512

/** NAME and its arguments, each between tags of its own; or, in place of these, one JSON object. */
export class PairsBody implements BodyReader {
  readonly #sink: CallSink
  readonly #tags: Pairs
  readonly #callEnd: string
  #state: 'name' | 'between' | 'key' | 'before-value' | 'value' | 'json' | 'rest' = 'name'
  #text = ''
  #name = ''
  #started = false
  #complete = true
  #separator = '{'
  #value: PairValue | null = null
  #json: JsonValue | null = null
  readonly #end: MarkFinder
  readonly #next: MarkFinder

  constructor(sink: CallSink, tags: Pairs, callEnd: string) {
    this.#sink = sink
    this.#tags = tags
    this.#callEnd = callEnd
    this.#end = new MarkFinder([tags.valueEnd])
    this.#next = new MarkFinder([tags.keyBegin, callEnd])
  }

  push(c: string): Verdict {
    switch (this.#state) {
      case 'name':
        return this.#inName(c)
      case 'key':
        return this.#inKey(c)
      case 'before-value':
        return this.#beforeValue(c)
      case 'value':
        return this.#inValue(c)
      case 'json':
        return this.#inJson(c)
      default:
        return this.#between(c)
    }
  }

  finish(): boolean {
    if (!this.#started) return false
    if (this.#state === 'value') {
      for (const c of this.#end.flush()) this.#value?.push(c)
      this.#value?.end(false)
    }
    this.#complete = false
    this.#close()
    return true
  }

  #inName(c: string): Verdict {
    this.#text += c
    if (this.#text.trim() === '') {
      this.#text = ''
      return 'more'
    }
    if (this.#text.length > MAX_NAME) return 'not'
    const end = this.#tags.nameEnd.find(mark => this.#text.endsWith(mark))
    if (end === undefined) return 'more'
    this.#name = this.#text.slice(0, -end.length).trim()
    if (!isName(this.#name) || !this.#sink.accepts(this.#name)) return 'not'
    this.#state = 'between'
    if (end === this.#tags.keyBegin) return this.#mark(end)
    return end === this.#callEnd ? this.#mark(end) : 'more'
  }

  #between(c: string): Verdict {
    const found = this.#next.push(c)
    for (const other of found.text) {
      if (isBlank(other)) continue
      if (other === '{' && !this.#started && this.#state === 'between') {
        this.#start()
        this.#state = 'json'
        this.#json = new JsonValue(text => this.#sink.write(text))
        this.#separator = ''
        return this.#inJson(other)
      }
      if (!this.#started) return 'not'
      this.#complete &&= this.#state === 'rest' && '`}'.includes(other)
    }
    return found.mark === null ? 'more' : this.#mark(found.mark)
  }

  #mark(mark: string): Verdict {
    this.#start()
    if (mark === this.#callEnd) {
      this.#close()
      return 'done'
    }
    // After one JSON object there are no other arguments.
    if (this.#separator === '') this.#complete = false
    else {
      this.#text = ''
      this.#state = 'key'
    }
    return 'more'
  }

  #start(): void {
    if (!this.#started) this.#sink.start(this.#name, null)
    this.#started = true
  }

  #inKey(c: string): Verdict {
    this.#text += c
    if (this.#text.length > MAX_NAME) {
      this.#complete = false
      this.#state = 'between'
    }
    if (!this.#text.endsWith(this.#tags.keyEnd)) return 'more'
    const [, name = '', isText] =
      /^(.*?)(?:"\s*(?:string="(true|false)")?\s*)?$/s.exec(this.#text.slice(0, -this.#tags.keyEnd.length)) ?? []
    const key = this.#sink.parameter(this.#name, name.trim())
    this.#sink.write(`${this.#separator}${JSON.stringify(key)}:`)
    this.#separator = ','
    const kind = isText === undefined ? null : isText === 'true' ? 'text' : 'json'
    this.#value = new PairValue(this.#sink.schema(this.#name, key), kind, this.#tags.lines, text =>
      this.#sink.write(text),
    )
    this.#text = ''
    this.#state = this.#tags.valueBegin === '' ? 'value' : 'before-value'
    return 'more'
  }

  #beforeValue(c: string): Verdict {
    this.#text = (this.#text + c).trimStart()
    const { valueBegin } = this.#tags
    if (valueBegin === this.#text) this.#state = 'value'
    else if (!valueBegin.startsWith(this.#text)) {
      // Without its tag: the value begins here.
      this.#complete = false
      this.#state = 'value'
      const text = this.#text
      for (let i = 0; i < text.length; i++) this.#inValue(text[i] as string)
    }
    return 'more'
  }

  #inValue(c: string): Verdict {
    const found = this.#end.push(c)
    for (let i = 0; i < found.text.length; i++) this.#value?.push(found.text[i] as string)
    if (found.mark === null) return 'more'
    if (!this.#value?.end(true)) this.#complete = false
    this.#value = null
    this.#state = 'between'
    return 'more'
  }

  #inJson(c: string): Verdict {
    const taken = this.#json?.push(c)
    if (taken === 'more') return 'more'
    if (taken !== 'done') this.#complete = false
    this.#json?.close()
    this.#json = null
    this.#state = 'rest'
    return 'more'
  }

  #close(): void {
    if (this.#state === 'json') this.#json?.close()
    else if (this.#state === 'before-value') this.#value?.end(false)
    if (this.#separator === '{') this.#sink.write('{}')
    else if (this.#separator === ',') this.#sink.write('}')
    this.#sink.end(this.#complete)
  }
}
