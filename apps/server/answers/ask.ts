/** What is asked of a model, in nobody's wire format. */
import type { ChatTool, ConversationMessage, PromptOptions, ReasoningEffort, ToolChoice } from '../../../src/index.ts'

/**
 * How a text is drawn and what it is held to: the engine's own options. The engine checks them; `readKnobs` turns wire names into
 * them, and checks them under those names.
 */
export type AskOptions = Omit<
  PromptOptions,
  'tools' | 'templateVariables' | 'continueFinalMessage' | 'signal' | 'onPromptProgress' | 'beams' | 'resume'
>

/** A conversation to be answered. */
export interface ChatInput {
  readonly kind: 'chat'
  readonly messages: readonly ConversationMessage[]
  /** By name, without `execute`: calls are returned. */
  readonly tools?: Readonly<Record<string, ChatTool>>
  /** Default 'auto'. */
  readonly toolChoice?: ToolChoice
  /** Several calls in one answer. Default true. */
  readonly parallel?: boolean
  /** Further variables of the chat template, such as `enable_thinking`. */
  readonly templateVariables?: Readonly<Record<string, unknown>>
  /** How much the model thinks. Default: as its template says. */
  readonly reasoningEffort?: ReasoningEffort
  /** The last message is an answer that goes on. Default false. */
  readonly continueFinalMessage?: boolean
}

/** A text to be continued. */
export interface TextInput {
  readonly kind: 'text'
  /** A text, or token ids that are read as they are. */
  readonly prompt: string | readonly number[]
}

/** A gap to be filled. */
export interface InfillInput {
  readonly kind: 'infill'
  readonly prefix: string
  readonly suffix: string
}

export interface Ask {
  readonly input: ChatInput | TextInput | InfillInput
  readonly options: AskOptions
  /** Texts of one prompt, which is read once; with a seed, the others take the seeds after it. Default 1. */
  readonly n?: number
  /** With whom what is read is shared; '': with all that say so. */
  readonly cacheSalt: string
  /** Told the ids of the prompt, and of the answer if it is one, when they have ended, well or not: before the usage. */
  readonly left?: (tokenIds: readonly number[]) => void
  /** Ends the work wherever it is; the answer throws its reason. */
  readonly signal: AbortSignal
}
