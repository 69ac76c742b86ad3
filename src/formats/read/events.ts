import type { FormatName } from '../table/format.ts'

/** What a text adds to an answer. */
export type ReplyEvent =
  | { readonly type: 'reasoning' | 'content'; readonly text: string }
  | { readonly type: 'callStart'; readonly index: number; readonly id: string; readonly name: string }
  /** More of the arguments' JSON. */
  | { readonly type: 'arguments'; readonly index: number; readonly text: string }
  /** `complete` false: the call was cut off or is damaged; its arguments are valid JSON all the same. */
  | { readonly type: 'callEnd'; readonly index: number; readonly complete: boolean }

type Channel = 'reasoning' | 'content'

/** Collects the events of one part of a text: joins what belongs together, never cuts a pair of surrogates, gives ids. */
export class Events {
  readonly #format: FormatName
  readonly #callsBefore: number
  readonly #ids = new Set<string>()
  #events: ReplyEvent[] = []
  #index = -1
  #last: Channel | 'call' | null = null
  readonly #written = { reasoning: false, content: false }
  #thought: boolean

  constructor(format: FormatName, callsBefore: number, thought: boolean) {
    this.#format = format
    this.#callsBefore = callsBefore
    this.#thought = thought
  }

  /** Neither content nor a call has come. */
  get isStart(): boolean {
    return !this.#written.content && this.#index < 0
  }

  get isAfterCall(): boolean {
    return this.#last === 'call'
  }

  sawReasoning(): void {
    this.#thought = true
    if (this.#last === 'reasoning') this.#last = null
  }

  /** Whether line breaks at the beginning are no part of the text. */
  dropsLead(channel: Channel): boolean {
    return channel === 'reasoning' || this.#thought
  }

  text(channel: Channel, text: string): void {
    if (text === '') return
    // Another block, or text after a call, is a paragraph of its own.
    const resumed = this.#written[channel] && this.#last !== channel ? '\n\n' : ''
    this.#written[channel] = true
    this.#last = channel
    this.#push({ type: channel, text: resumed + text })
  }

  start(name: string, id: string | null): void {
    this.#index++
    this.#last = 'call'
    this.#push({ type: 'callStart', index: this.#index, id: this.#newId(name, id), name })
  }

  argument(text: string): void {
    if (text !== '') this.#push({ type: 'arguments', index: this.#index, text })
  }

  end(complete: boolean): void {
    this.#push({ type: 'callEnd', index: this.#index, complete })
  }

  /** What has come since the last time; `all`: also half a character. */
  take(all: boolean): ReplyEvent[] {
    const events = this.#events
    this.#events = []
    const last = events.at(-1)
    if (!all && last !== undefined && 'text' in last && isHigh(last.text)) {
      const text = last.text.slice(0, -1)
      events.pop()
      if (text !== '') events.push({ ...last, text })
      this.#events.push({ ...last, text: last.text.slice(-1) })
    }
    return events
  }

  #push(event: ReplyEvent): void {
    const last = this.#events.at(-1)
    if (
      last !== undefined &&
      'text' in last &&
      'text' in event &&
      last.type === event.type &&
      this.#joins(last, event)
    ) {
      this.#events[this.#events.length - 1] = { ...last, text: last.text + event.text }
    } else this.#events.push(event)
  }

  #joins(last: ReplyEvent, event: ReplyEvent): boolean {
    return !('index' in last) || !('index' in event) || last.index === event.index
  }

  #newId(name: string, given: string | null): string {
    const number = this.#callsBefore + this.#index
    const own = this.#format === 'kimi-k2' ? `functions.${name}:${number}` : `call${String(number).padStart(5, '0')}`
    const id = given === null || this.#ids.has(given) ? own : given
    this.#ids.add(id)
    return id
  }
}

function isHigh(text: string): boolean {
  const code = text.charCodeAt(text.length - 1)
  return code >= 0xd800 && code < 0xdc00
}
