/** From the text that a model writes to reasoning, content and calls, as it comes. */
import type { ToolDescription } from '../messages.ts'
import type { ChatFormat } from '../table/format.ts'
import { chatFormat } from '../table/formats.ts'
import { CallBlock } from './block.ts'
import type { BlockReader, CallSink } from './body.ts'
import { Events, type ReplyEvent } from './events.ts'
import { JsonAnswer } from './json-answer.ts'
import { isBlank } from './json-value.ts'
import { MarkFinder } from './mark-finder.ts'
import { ToolBook } from './tool-book.ts'

/** Longest text that is kept back because it may become a call; a longer one is text. */
const MAX_KEPT = 1 << 14
const FENCE = '```json\n'

/** Options of a `ReplyParser`. */
export interface ReplyParserOptions {
  readonly format: ChatFormat
  /** The tools that the model was shown: types of arguments come from their schemas. Default: none, and no calls are read. */
  readonly tools?: readonly ToolDescription[]
  /** Read calls, also without knowing the tools. Default: if there are tools. */
  readonly calls?: boolean
  /** Whether the prompt ends inside a block of reasoning, after a closed one, or without any. Default 'none'. */
  readonly prompt?: PromptEnd
  /** The number of calls in the conversation before this answer: ids count on. Default 0. */
  readonly callsBefore?: number
  /** Whether `{"response": TEXT}` in a format of JSON is the text. Default true; false where the answer has a schema of its own. */
  readonly unwraps?: boolean
  /** Nothing but calls follows reasoning, as a grammar holds the answer to them: what stands between them, or is cut off before one, is no content. Default false. */
  readonly onlyCalls?: boolean
  /** Texts of the tokens that end an answer; they give no text. */
  readonly ends?: readonly string[]
}

/** How a prompt ends: inside a block of reasoning, after an empty one, or without any. */
export type PromptEnd = 'open' | 'closed' | 'none'

/**
 * Reads an answer that comes in any parts: the events, joined, do not depend on the cuts. Content never contains a part of a
 * mark; a text that only looks like a mark comes out as text.
 */
export class ReplyParser {
  readonly #format: ChatFormat
  readonly #tools: ToolBook
  readonly #calls: boolean
  readonly #bare: boolean
  readonly #unwraps: boolean
  readonly #onlyCalls: boolean
  readonly #events: Events
  readonly #marks: MarkFinder
  readonly #ends: ReadonlySet<string>
  readonly #sink: CallSink
  #mode: 'reasoning' | 'content'
  /** Nothing was written since a block of reasoning or the answer began. */
  #fresh = true
  /** Blanks that are only written if text follows. */
  #blank = ''
  #reader: BlockReader | null = null
  #mark = ''
  /** Since the mark, until a call has begun. */
  #kept = ''
  #begun = false
  #input = ''
  #at = 0
  #reasoningMarks = 0

  constructor(options: ReplyParserOptions) {
    const { format, tools = [], calls, prompt = 'none', callsBefore = 0, ends = [] } = options
    const { unwraps = true, onlyCalls = false } = options
    this.#format = format
    this.#unwraps = unwraps
    this.#onlyCalls = onlyCalls
    this.#tools = new ToolBook(tools)
    this.#calls = calls ?? tools.length > 0
    this.#bare = this.#calls && format.calls.begin === '' && format.calls.body.kind === 'object'
    this.#mode = prompt === 'open' ? 'reasoning' : 'content'
    this.#events = new Events(format.name, callsBefore, prompt !== 'none')
    this.#ends = new Set(ends)
    const { section, begin } = format.calls
    const openers = this.#calls ? [...(section?.begin ?? []), begin, ...(this.#bare ? [FENCE] : [])] : []
    this.#marks = new MarkFinder([format.reasoning.begin, format.reasoning.end, ...openers, ...ends])
    this.#sink = {
      accepts: name => this.#tools.has(name) || (this.#mode === 'content' && this.#mark !== '' && this.#mark !== FENCE),
      guess: keys => this.#tools.guess(keys),
      schema: (name, key) => this.#tools.schema(name, key),
      parameter: (name, place) => this.#tools.parameter(name, place),
      start: (name, id) => {
        this.#begin()
        this.#events.start(name, id)
      },
      write: text => this.#events.argument(text),
      end: complete => this.#events.end(complete),
      say: text => {
        this.#begin()
        this.#events.text('content', text)
      },
    }
  }

  /** Marks of reasoning so far. */
  get reasoningMarks(): number {
    return this.#reasoningMarks
  }

  get inReasoning(): boolean {
    return this.#mode === 'reasoning'
  }

  /** A call has begun and has not ended, or its block has not. */
  get inCall(): boolean {
    return this.#begun
  }

  /** Takes more of the text; returns what it adds. */
  feed(text: string): ReplyEvent[] {
    this.#input = text
    this.#at = 0
    this.#run()
    return this.#events.take(false)
  }

  /** The text has ended. Ends what was begun; a call that was cut off is incomplete, but its arguments are valid JSON. */
  finish(): ReplyEvent[] {
    this.#input = ''
    this.#at = 0
    for (;;) {
      if (this.#reader !== null) {
        const begun = this.#reader.finish()
        const rest = begun ? this.#reader.rest : this.#kept
        const mark = this.#mark
        this.#endReader()
        if (!begun) this.#asText(mark)
        this.#input = !begun && mark === '' ? this.#skipFirst(rest) : rest
        this.#at = 0
        this.#run()
        if (this.#reader !== null) continue
      }
      this.#asText(this.#marks.flush())
      if (this.#reader === null) break
    }
    if (this.#mode === 'content' && !this.#fresh) this.#events.text('content', this.#blank)
    return this.#events.take(true)
  }

  #run(): void {
    while (this.#at < this.#input.length) {
      const c = this.#input[this.#at++] as string
      if (this.#reader === null) this.#outside(c)
      else this.#inside(this.#reader, c)
    }
  }

  #inside(reader: BlockReader, c: string): void {
    if (!this.#begun) this.#kept += c
    const verdict = this.#kept.length > MAX_KEPT && !this.#begun ? 'not' : reader.push(c)
    if (verdict === 'more') return
    const again = verdict === 'not' ? this.#kept : reader.rest
    const mark = this.#mark
    this.#endReader()
    if (verdict === 'not') this.#asText(mark)
    if (verdict !== 'done') this.#again(mark === '' && verdict === 'not' ? this.#skipFirst(again) : again)
  }

  /** A text that began without a mark would begin again: its first character is text. */
  #skipFirst(text: string): string {
    const at = text.search(/\S/)
    this.#asText(text.slice(0, at + 1))
    return text.slice(at + 1)
  }

  #again(text: string): void {
    this.#input = text + this.#input.slice(this.#at)
    this.#at = 0
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#kept = ''
    this.#blank = ''
    this.#mode = 'content'
  }

  #endReader(): void {
    this.#reader = null
    this.#kept = ''
    if (this.#begun) this.#fresh = true
    this.#begun = false
  }

  #outside(c: string): void {
    const found = this.#marks.push(c)
    for (let i = 0; i < found.text.length; i++) {
      const other = found.text[i] as string
      if (this.#bare && this.#opensBare(other)) {
        this.#open('')
        // What comes after it in `found` belongs to the call.
        this.#again(found.text.slice(i) + (found.mark ?? ''))
        return
      }
      this.#asText(other)
    }
    if (found.mark !== null) this.#found(found.mark)
  }

  #opensBare(c: string): boolean {
    const { isStart, isAfterCall } = this.#events
    return this.#mode === 'content' && (c === '{' || c === '[') && (isStart || isAfterCall)
  }

  #open(mark: string): void {
    this.#mark = mark
    const isAnswer = this.#format.calls.text === chatFormat('generic').calls.text
    this.#reader = isAnswer
      ? new JsonAnswer(this.#sink, this.#unwraps)
      : new CallBlock(this.#format.calls, mark === FENCE ? '' : mark, this.#sink)
  }

  #found(mark: string): void {
    const { begin, end } = this.#format.reasoning
    if (this.#ends.has(mark)) return
    if (mark === begin) this.#thinkBegin(mark)
    else if (mark === end) this.#thinkEnd(mark)
    else if (mark !== FENCE || this.#events.isStart) this.#open(mark)
    else this.#asText(mark)
  }

  /** A block of reasoning begins where an answer or a line does. */
  #thinkBegin(mark: string): void {
    if (this.#mode === 'reasoning') {
      // Prompts may have begun the block already.
      if (!this.#fresh) this.#asText(mark)
    } else if (this.#fresh || this.#blank.includes('\n')) this.#think('reasoning')
    else this.#asText(mark)
  }

  #thinkEnd(mark: string): void {
    if (this.#mode === 'reasoning') this.#think('content')
    // A prompt without a block, and a model that has nothing to think about.
    else if (this.#events.isStart) this.#think('content')
    else this.#asText(mark)
  }

  #think(mode: 'reasoning' | 'content'): void {
    this.#reasoningMarks++
    this.#mode = mode
    this.#fresh = true
    this.#blank = ''
    this.#events.sawReasoning()
  }

  #asText(text: string): void {
    if (this.#onlyCalls && this.#mode === 'content') return
    for (let i = 0; i < text.length; i++) {
      const c = text[i] as string
      if (isBlank(c)) {
        if (!this.#dropsBlank(c)) this.#blank += c
      } else {
        this.#events.text(this.#mode, this.#blank + c)
        this.#blank = ''
        this.#fresh = false
      }
    }
  }

  /** Line breaks after reasoning, and all blanks after calls, are no part of the text. */
  #dropsBlank(c: string): boolean {
    if (!this.#fresh) return false
    if (this.#events.isAfterCall) return true
    return this.#blank === '' && (c === '\n' || c === '\r') && this.#events.dropsLead(this.#mode)
  }
}
