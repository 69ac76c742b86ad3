/** Answers of several messages, each in a channel (gpt-oss's harmony format). */
import { Events, type ReplyEvent } from './events.ts'
import { isBlank, JsonValue } from './json-value.ts'
import { MarkFinder } from './mark-finder.ts'
import type { ReplyReader, ReplyReaderOptions } from './reply-reader.ts'

const START = '<|start|>'
const CHANNEL = '<|channel|>'
const MESSAGE = '<|message|>'
/** Each ends a message. */
const ENDS = ['<|end|>', '<|return|>', '<|call|>']
/** Longest text between the beginning of a message and its own text. */
const MAX_HEADER = 256
/** All of them: each is one token. */
export const CHANNEL_MARKS: readonly string[] = [START, CHANNEL, MESSAGE, ...ENDS]
/** In front of a channel: who writes, where a mark begins it, and the recipient of a call. */
const RECIPIENT = /^\s*(?:t|to|to=\S*\s*)?$/
const AUTHOR = /^<\|start\|>([\w.-]*)(?:\s+(?:t|to|to=\S*\s*)?)?$/
const ASSISTANT = 'assistant'

type Body = 'reasoning' | 'content' | 'call'

/**
 * Reads `HEADER<|message|>TEXT<|end|>` one after another. A header names a channel, `analysis` for reasoning, and `to=functions.NAME` where
 * the text is a call's arguments; all other messages are content, those that the model writes as another author, too. A header that does
 * not come to its text is text itself.
 */
export class ChannelParser implements ReplyReader {
  readonly #events: Events
  readonly #marks: MarkFinder
  readonly #ends: ReadonlySet<string>
  readonly #calls: boolean
  readonly #onlyCalls: boolean
  #body: Body
  /** Since a message may have begun; null: inside its text. */
  #header: string | null
  /** The header has a channel. */
  #inChannel = false
  #arguments: JsonValue | null = null
  #complete = false
  /** Blanks that are only written if text follows; `fresh`: since the message began there was nothing else. */
  #blank = ''
  #fresh = true
  #reasoningMarks = 0
  /** What of the text is read, and the marks that are to come in it, from where on; null: every mark counts. */
  #read = 0
  readonly #coming: { readonly mark: string; readonly from: number }[] | null
  /** Of the message that was read last. */
  #message = ''

  constructor({
    format,
    tools = [],
    calls,
    prompt = 'none',
    callsBefore = 0,
    ends = [],
    onlyCalls = false,
    toldMarks = false,
  }: ReplyReaderOptions) {
    this.#calls = calls ?? tools.length > 0
    this.#onlyCalls = onlyCalls
    this.#coming = toldMarks ? [] : null
    this.#events = new Events(format.name, callsBefore, true)
    this.#ends = new Set([...ENDS, ...ends])
    this.#marks = new MarkFinder([START, CHANNEL, MESSAGE, ...this.#ends])
    this.#body = prompt === 'open' ? 'reasoning' : 'content'
    this.#header = prompt === 'none' ? '' : null
  }

  get reasoningMarks(): number {
    return this.#reasoningMarks
  }

  get inReasoning(): boolean {
    return this.#body === 'reasoning'
  }

  get inCall(): boolean {
    return this.#body === 'call'
  }

  /** As it was written, without its header. */
  get message(): string {
    return this.#message
  }

  feed(text: string, mark = ''): ReplyEvent[] {
    if (mark !== '') this.#coming?.push({ mark, from: this.#read })
    for (let i = 0; i < text.length; i++) {
      this.#read++
      const found = this.#marks.push(text[i] as string)
      for (let k = 0; k < found.text.length; k++) this.#character(found.text[k] as string)
      if (found.mark !== null && this.#isMark(found.mark)) this.#mark(found.mark)
      else for (const c of found.mark ?? '') this.#character(c)
    }
    return this.#events.take(false)
  }

  finish(): ReplyEvent[] {
    const held = this.#marks.flush()
    for (let i = 0; i < held.length; i++) this.#character(held[i] as string)
    this.#noHeader()
    this.#endBody(true)
    return this.#events.take(true)
  }

  /** Not a text that only looks like one. */
  #isMark(mark: string): boolean {
    if (this.#coming === null) return true
    const [next] = this.#coming
    const isNext = next?.mark === mark && this.#read - mark.length >= next.from
    if (isNext) this.#coming.shift()
    return isNext
  }

  #character(c: string): void {
    if (this.#header === null) this.#text(c)
    else {
      this.#header += c
      const before = this.#header.startsWith(START) ? AUTHOR : RECIPIENT
      const fits = this.#header.length <= MAX_HEADER && (this.#inChannel || before.test(this.#header))
      if (!fits) this.#noHeader()
    }
  }

  #mark(mark: string): void {
    if (mark === CHANNEL && !this.#inChannel) {
      this.#header = (this.#header ?? '') + mark
      this.#inChannel = true
    } else if (mark === MESSAGE && this.#inChannel) this.#begin(this.#header as string)
    else if (mark === MESSAGE || mark === CHANNEL) for (const c of mark) this.#character(c)
    else {
      this.#noHeader()
      this.#endBody(false)
      if (mark === START) this.#header = mark
      else if (ENDS.includes(mark)) this.#header = ''
    }
  }

  /** What was read is no header, but text of the message before. */
  #noHeader(): void {
    const header = (this.#header ?? '').replace(/^<\|start\|>(?:assistant)?/, '')
    this.#header = null
    this.#inChannel = false
    for (let i = 0; i < header.length; i++) this.#text(header[i] as string)
  }

  #begin(header: string): void {
    this.#endBody(false)
    const [, channel = ''] = /<\|channel\|>\s*(\w*)/.exec(header) ?? []
    const [, recipient] = /(?:^|[\s>])to=([^\s<]+)/.exec(header) ?? []
    const [, author = ASSISTANT] = /^<\|start\|>([\w.-]+)/.exec(header) ?? []
    this.#header = null
    this.#inChannel = false
    this.#fresh = true
    this.#message = ''
    if (author !== ASSISTANT) this.#body = 'content'
    else if (recipient !== undefined && this.#calls) {
      this.#body = 'call'
      this.#events.start(recipient.replace(/^functions\./, ''), null)
      this.#complete = false
      this.#arguments = new JsonValue(text => this.#events.argument(text))
    } else if (channel === 'analysis') {
      this.#body = 'reasoning'
      this.#reasoningMarks++
      this.#events.sawReasoning()
    } else this.#body = 'content'
  }

  #endBody(atEnd: boolean): void {
    if (this.#arguments !== null) {
      if (this.#arguments.started) this.#arguments.close()
      else this.#events.argument('{}')
      this.#events.end(this.#complete)
      this.#arguments = null
    } else if (this.#body === 'reasoning' && !atEnd) this.#reasoningMarks++
    if (atEnd && this.#body === 'content' && !this.#fresh) this.#write(this.#blank)
    this.#blank = ''
    this.#fresh = true
    this.#body = 'content'
  }

  #text(c: string): void {
    this.#message += c
    if (this.#body === 'call') this.#argument(c)
    else if (!isBlank(c)) {
      this.#write(this.#blank + c)
      this.#blank = ''
      this.#fresh = false
    } else if (!this.#fresh) this.#blank += c
  }

  #write(text: string): void {
    if (this.#body === 'content' && this.#onlyCalls) return
    this.#events.text(this.#body === 'reasoning' ? 'reasoning' : 'content', text)
  }

  #argument(c: string): void {
    const value = this.#arguments
    if (value === null || this.#complete) return
    if (!value.started && !isBlank(c) && c !== '{') {
      this.#damaged()
      return
    }
    const taken = value.push(c)
    if (taken === 'done') this.#complete = true
    else if (taken === 'bad') this.#damaged()
  }

  /** Nothing counts up to the next message. */
  #damaged(): void {
    const value = this.#arguments
    this.#arguments = null
    if (value?.started) value.close()
    else this.#events.argument('{}')
    this.#events.end(false)
  }
}
