/** What users of `session.chat` give and get. */
import type { AssistantMessage, FormatName, MessageText, ToolCall, ToolChoice } from '../../formats/index.ts'
import type { OutputOptions, PromptOptions } from './options.ts'
import type { FinishReason, Usage } from './results.ts'

/** A tool by its name in `ChatOptions.tools`. */
export interface ChatTool {
  /** What it does, for the model. */
  readonly description?: string
  /** JSON schema of the arguments, an object. Default: no arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>
  /**
   * Does it: the result goes to the model, as text or as JSON. What it throws goes to the model as `Error: …`, except the
   * signal's reason. Default: the calls are returned.
   */
  readonly execute?: (
    given: Readonly<Record<string, unknown>>,
    context: {
      /** The call. */
      readonly call: ToolCall
      /** Aborted when the chat is. */
      readonly signal: AbortSignal
    },
  ) => unknown
}

/** Options of `session.chat`. */
export interface ChatOptions
  extends Omit<
    PromptOptions,
    | keyof OutputOptions
    | ('tools' | 'beams' | 'skipSpecialTokens' | 'addSpecialTokens' | 'continueFinalMessage' | 'logprobs')
  > {
  /** Tools that the model may call, by name: letters, digits, `_`, `-` and `.`. Default: none. */
  readonly tools?: Readonly<Record<string, ChatTool>>
  /** Whether the model may call tools. Default 'auto'. */
  readonly toolChoice?: ToolChoice
  /** Several calls in one answer. Default true; false: the answer ends with its first call. */
  readonly parallel?: boolean
  /** Most answers of one chat: after each with calls whose tools have `execute`, another follows. 1 to 100, default 8. */
  readonly maxRounds?: number
  /** How the model writes calls and reasoning (docs/tools.md). Default: as its chat template and tokens say. */
  readonly format?: FormatName
}

/** What an answer gained. */
export type ChatEvent =
  | {
      /** More of the reasoning, or of the answer. */
      readonly type: 'reasoning' | 'content'
      /** What is added. */
      readonly text: string
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
export interface ChatResult {
  /** The reasoning before the answer; empty: none. */
  readonly reasoning: string
  /** The answer, without reasoning and calls. */
  readonly content: string
  /** Calls of the last answer: empty, or to be answered by messages of role `tool`. */
  readonly toolCalls: readonly ChatCall[]
  /** `toolCalls`: the answer ended with calls. The others: as in `Completion`. */
  readonly finishReason: FinishReason | 'toolCalls'
  /** To be appended to the conversation: this answer, and those before it with their results. */
  readonly messages: readonly ChatAnswerMessage[]
  /** Token counts of the last answer. */
  readonly usage: Usage
}

/** A chat under way: iterate for events as they come, await for the whole, or both. Leaving an iteration early cancels it. */
export interface Chat extends AsyncIterable<ChatEvent>, Promise<ChatResult> {}

/** What the host needs to write a conversation. */
export interface Conversation {
  readonly tools: readonly {
    readonly name: string
    readonly description?: string
    readonly parameters?: Readonly<Record<string, unknown>>
  }[]
  readonly choice: ToolChoice
  readonly parallel: boolean
  readonly format?: FormatName
}
