/** From the text that a model writes to reasoning, content and calls, as it comes. */
import type { ChatFormat } from '../table/format.ts'
import { chatFormat } from '../table/formats.ts'
import { CallBlock } from './block.ts'
import type { BlockReader, CallSink } from './body.ts'
import { Events, type ReplyEvent } from './events.ts'
import { JsonAnswer } from './json-answer.ts'
import { isBlank } from './json-value.ts'
import { MarkFinder } from './mark-finder.ts'
import type { ReplyReader, ReplyReaderOptions } from './reply-reader.ts'
import { ToolBook } from './tool-book.ts'

/** Longest text that is kept back because it may become a call; a longer one is text. */
const MAX_KEPT = 1 << 14
const FENCE = '```json\n'

/**
 * Reads an answer that comes in any parts: the events, joined, do not depend on the cuts. Content never contains a part of a
 * mark; a text that only looks like a mark comes out as text.
 */
export class ReplyParser implements ReplyReader {
  readonly #format: ChatFormat
  readonly #tools: ToolBook
  readonly #calls: boolean
  readonly #bare: boolean
  /** What calls begin with that have no mark: names of tools, each a line. */
  readonly #names: ReadonlySet<string>
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
  /** Reasoning has come, or the prompt had it. */
  #thought: boolean
  /** Inside the marks that a model writes around its answer. */
  #answering = false

  constructor(options: ReplyReaderOptions) {
    const { format, tools = [], calls, prompt = 'none', callsBefore = 0, ends = [] } = options
    const { unwraps = true, onlyCalls = false } = options
    this.#format = format
    this.#unwraps = unwraps
    this.#onlyCalls = onlyCalls
    this.#tools = new ToolBook(tools)
    this.#calls = calls ?? tools.length > 0
    this.#bare = this.#calls && format.calls.begin === '' && format.calls.body.kind === 'object'
    const named = this.#calls && format.calls.begin === '' && format.calls.body.kind === 'separated'
    this.#names = new Set(named ? tools.flatMap(({ name }) => [`${name}\n`, `${name} \n`]) : [])
    this.#thought = prompt !== 'none'
    this.#mode = prompt === 'open' ? 'reasoning' : 'content'
    this.#events = new Events(format.name, callsBefore, prompt !== 'none')
    this.#ends = new Set(ends)
    const { section, begin } = format.calls
    const openers = this.#calls ? [...(section?.begin ?? []), begin, ...(this.#bare ? [FENCE] : [])] : []
    const { reasoning, answer } = format
    const around = answer ? [answer.begin, answer.end] : []
    this.#marks = new MarkFinder([reasoning.begin, reasoning.end, ...around, ...openers, ...this.#names, ...ends])
    this.#sink = {
      // A mark that is a word (functools) stands in texts, too.
      accepts: name => this.#tools.has(name) || (this.#mode === 'content' && /^[<[]/.test(this.#mark)),
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

  get reasoningMarks(): number {
    return this.#reasoningMarks
  }

  get inReasoning(): boolean {
    return this.#mode === 'reasoning'
  }

  get inCall(): boolean {
    return this.#begun
  }

  get message(): null {
    return null
  }

  feed(text: string): ReplyEvent[] {
    this.#input = text
    this.#at = 0
    this.#run()
    return this.#events.take(false)
  }

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
    if (this.#ends.has(mark) || this.#aroundAnswer(mark)) return
    if (mark === begin) this.#thinkBegin(mark)
    else if (mark === end) this.#thinkEnd(mark)
    else if (mark === this.#format.answer?.begin || mark === this.#format.answer?.end) this.#asText(mark)
    else if (this.#names.has(mark)) this.#named(mark)
    else if (mark !== FENCE || this.#events.isStart) this.#open(mark)
    else this.#asText(mark)
  }

  #named(mark: string): void {
    const { isStart, isAfterCall } = this.#events
    if (this.#mode !== 'content' || !this.#fresh || !(isStart || isAfterCall)) {
      this.#asText(mark)
      return
    }
    this.#open('')
    this.#again(mark)
  }

  /** Whether the mark stands around the answer: between its reasoning and its text, or at the end of what was so begun. */
  #aroundAnswer(mark: string): boolean {
    const { begin = '', end = '' } = this.#format.answer ?? {}
    if (mark === begin && this.#mode === 'content' && this.#events.isStart && this.#thought) {
      this.#answering = true
      this.#blank = ''
      return true
    }
    if (mark !== end || !this.#answering) return false
    this.#answering = false
    this.#blank = ''
    return true
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
    this.#thought = true
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
