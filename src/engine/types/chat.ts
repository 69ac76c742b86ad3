/** What users of `session.chat` get. */
import type { AssistantMessage, FormatName, MessageText, ToolCall, ToolChoice } from '../../formats/index.ts'
import type { GrammarSource } from '../../grammar/matcher.ts'
import type { Logprobs } from '../../sampling/logprobs.ts'
import type { ReasoningEffort } from './options/chat.ts'
import type { FinishReason, Timings, Usage } from './results.ts'

/** What an answer gained. */
export type ChatEvent =
  | {
      /** More of the reasoning, or of the answer. */
      readonly type: 'reasoning' | 'content'
      /** What is added. */
      readonly text: string
      /** Of content, with `schema` or `json`: the value so far, not checked yet; undefined before it begins. */
      readonly partial?: unknown
    }
  | {
      /** If they were asked for: of the tokens that the next event is made of, or of marks that have no event. */
      readonly type: 'logprobs'
      /** What the tokens are part of. */
      readonly of: 'reasoning' | 'content' | 'call'
      /** In order. The events of an answer have all its tokens, but for those that end it. */
      readonly logprobs: readonly Logprobs[]
    }
  | {
      /** A call has begun. */
      readonly type: 'callStart'
      /** Of the call in this answer, from 0. */
      readonly index: number
      /** Names the call. */
      readonly id: string
      /** The tool's name. */
      readonly name: string
    }
  | {
      /** More of the arguments. */
      readonly type: 'arguments'
      /** Of the call. */
      readonly index: number
      /** Joined, the texts of a call are JSON. */
      readonly text: string
    }
  | {
      /** A call has ended. */
      readonly type: 'callEnd'
      /** Of the call. */
      readonly index: number
      /** False: it was cut off or damaged; its arguments are valid JSON all the same. */
      readonly complete: boolean
    }
  | {
      /** A tool has done its work; when all have, the next answer begins. */
      readonly type: 'toolResult'
      /** Of the call. */
      readonly id: string
      /** The tool's name. */
      readonly name: string
      /** What the model is given. */
      readonly content: string
    }

/** A message that a chat adds to the conversation. */
export type ChatAnswerMessage =
  | AssistantMessage
  | {
      /** The author. */
      readonly role: 'tool'
      /** `id` of the call. */
      readonly toolCallId: string
      /** The result. */
      readonly content: MessageText
    }

/** A call in an answer. */
export interface ChatCall extends ToolCall {
  /** False: it was cut off or damaged. It is not executed. */
  readonly complete: boolean
}

/** The last answer of a chat, and all that was added to the conversation. */
export interface ChatResult<T = unknown> {
  /** The reasoning before the answer; empty: none. */
  readonly reasoning: string
  /** The answer, without reasoning and calls. */
  readonly content: string
  /** Calls of the last answer: empty, or to be answered by messages of role `tool`. */
  readonly toolCalls: readonly ChatCall[]
  /**
   * `toolCalls`: the answer ended with calls that are the caller's to make. `rounds`: with calls of tools that have `execute`, which were
   * not made, since `maxRounds` answers were. The others: as in `Completion`.
   */
  readonly finishReason: FinishReason | 'toolCalls' | 'rounds'
  /** As in `Completion`. */
  readonly stopSequence?: string
  /** As in `Completion`. */
  readonly stopTokenId?: number
  /**
   * To be appended to the conversation: this answer, and those before it with their results. With `continueFinalMessage`, the
   * first of them takes the place of the message that was continued.
   */
  readonly messages: readonly ChatAnswerMessage[]
  /**
   * With `schema`, `json`, `regex`, `choices` or `grammar`: what the content is, as in `Completion`. undefined where the answer
   * calls tools or did not come to its end.
   */
  readonly value?: T
  /** Token counts of the last answer. */
  readonly usage: ChatUsage
  /** Duration and speed of the last answer. */
  readonly timings: Timings
  /** The seed that the last answer was drawn with. */
  readonly seed: number
  /** Tokens of the last answer: without the end-of-text token and stop sequences. */
  readonly tokenIds: readonly number[]
  /** If they were asked for: as in `Completion`. */
  readonly logprobs?: readonly Logprobs[]
}

/** Token counts of one answer. */
export interface ChatUsage extends Usage {
  /** Tokens of the reasoning, with its marks. */
  readonly reasoningTokens: number
}

/** A conversation as the model reads it. */
export interface CountedChat {
  /** Tokens of the prompt. */
  readonly tokens: number
  /** The prompt as text, as the chat template writes it. */
  readonly text: string
  /** How the model writes calls and reasoning. */
  readonly format: FormatName
}

/** A chat under way: iterate for events as they come, await for the whole, or both. Leaving an iteration early cancels it. */
export interface Chat<T = unknown> extends AsyncIterable<ChatEvent>, Promise<ChatResult<T>> {}

/** What the host needs to write a conversation. */
export interface Conversation {
  readonly tools: readonly {
    readonly name: string
    readonly description?: string
    readonly parameters?: Readonly<Record<string, unknown>>
    readonly strict?: boolean
  }[]
  readonly choice: ToolChoice
  readonly parallel: boolean
  readonly format?: FormatName
  readonly effort?: ReasoningEffort
  /** The last message is continued. Default: it is answered. */
  readonly continues?: boolean
  /** What an answer is held to that calls nothing. Default: nothing. */
  readonly output?: GrammarSource
}
