/** One answer of a chat as it comes: chunks of text into events. */
import { type Reply, ReplyBuilder, type ReplyEvent, type ReplyReader } from '../../formats/index.ts'
import type { Logprobs } from '../../sampling/logprobs.ts'
import type { ChatEvent } from '../types/chat.ts'
import type { Chunk } from '../types/results.ts'

type Part = 'reasoning' | 'content' | 'call'

/** Reads an answer. `parallel` false: nothing after the end of its first call counts. */
export class ChatAnswer {
  readonly #parser: ReplyReader
  readonly #parallel: boolean
  readonly #builder = new ReplyBuilder()
  /** Of tokens whose part is not certain yet. */
  #waiting: Logprobs[] = []
  #tokens = 0
  #reasoningTokens = 0
  #callEnded = false
  readonly #marks: Readonly<Record<number, string>>

  /** `marks`: those that are told the parser, by their tokens. Default: none. */
  constructor(parser: ReplyReader, parallel: boolean, marks: Readonly<Record<number, string>> = {}) {
    this.#parser = parser
    this.#parallel = parallel
    this.#marks = marks
  }

  /** Nothing that follows counts. */
  get ended(): boolean {
    return !this.#parallel && this.#callEnded
  }

  /** Tokens of the reasoning so far, with its marks. */
  get reasoningTokens(): number {
    return this.#reasoningTokens
  }

  get reply(): Reply {
    return this.#builder.reply
  }

  feed({ text, tokenId, logprobs }: Chunk): ChatEvent[] {
    const marks = this.#parser.reasoningMarks
    const events = this.#counted(this.#parser.feed(text, this.#marks[tokenId]))
    this.#tokens++
    if (logprobs) this.#waiting.push(logprobs)
    const part =
      partOf(events) ?? (this.#parser.reasoningMarks > marks ? 'reasoning' : this.#parser.inCall ? 'call' : null)
    return part === null ? [...events] : this.#settled(part, events)
  }

  /** The text has ended. */
  finish(): ChatEvent[] {
    const events = this.#counted(this.#parser.finish())
    return this.#settled(partOf(events) ?? (this.#parser.inReasoning ? 'reasoning' : 'content'), events)
  }

  /** With what is known of the tokens up to now. */
  #settled(part: Part, events: readonly ReplyEvent[]): ChatEvent[] {
    if (part === 'reasoning') this.#reasoningTokens += this.#tokens
    this.#tokens = 0
    if (this.#waiting.length === 0) return [...events]
    const logprobs = this.#waiting
    this.#waiting = []
    return [{ type: 'logprobs', of: part, logprobs }, ...events]
  }

  #counted(events: readonly ReplyEvent[]): readonly ReplyEvent[] {
    const end = events.findIndex(({ type }) => type === 'callEnd')
    this.#callEnded ||= end >= 0
    const counted = this.#parallel || end < 0 ? events : events.slice(0, end + 1)
    this.#builder.add(counted)
    return counted
  }
}

/** What a token is part of: of two parts that it touches, the first. */
function partOf([first]: readonly ReplyEvent[]): Part | null {
  if (first === undefined) return null
  return first.type === 'reasoning' || first.type === 'content' ? first.type : 'call'
}
