import type { ToolDescription } from '../messages.ts'
import type { ChatFormat } from '../table/format.ts'
import type { ReplyEvent } from './events.ts'

/** Options of a reader of answers. */
export interface ReplyReaderOptions {
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
  /** `feed` is told which marks of channels are tokens of their own: others are text. Default: what looks like one is one. */
  readonly toldMarks?: boolean
}

/** How a prompt ends: inside a block of reasoning, after an empty one, or without any. */
export type PromptEnd = 'open' | 'closed' | 'none'

/** Reads an answer that comes in any parts: the events, joined, do not depend on the cuts. */
export interface ReplyReader {
  /** Marks of reasoning so far. */
  readonly reasoningMarks: number
  readonly inReasoning: boolean
  /** A call has begun and has not ended, or its block has not. */
  readonly inCall: boolean
  /** The last of several messages as it was written; null: there is only one. */
  readonly message: string | null
  /** Takes more of the text; returns what it adds. `mark`: the one that its token is, which comes in this text or a later one. */
  feed(text: string, mark?: string): ReplyEvent[]
  /** The text has ended. Ends what was begun; a call that was cut off is incomplete, but its arguments are valid JSON. */
  finish(): ReplyEvent[]
}
