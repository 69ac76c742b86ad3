/** Options of `session.chat`. */
import type { FormatName, ToolCall, ToolChoice } from '../../../formats/index.ts'
import { FORMAT_NAMES } from '../../../formats/table/format.ts'
import { choice, data, flag, type OptionTable, whole } from '../../../options/kinds.ts'
import { withoutRows } from '../../../options/rows.ts'
import { PROMPT_OPTIONS, type PromptOptions } from './prompt.ts'
import { TEMPLATE_DATA } from './template.ts'

/** A tool by its name in `ChatOptions.tools`. */
export interface ChatTool {
  /** What it does, for the model. */
  readonly description?: string
  /** JSON schema of the arguments, an object. Default: no arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>
  /** Whether `parameters` must be held: what of them cannot be is a SchemaError, also with 'auto'. Default false. */
  readonly strict?: boolean
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

/** How much a model thinks before it answers. */
export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high'

/** How a conversation is written for the model. */
export interface ConversationOptions extends Pick<PromptOptions, 'templateVariables' | 'continueFinalMessage'> {
  /**
   * Tools that the model may call, by name: letters, digits, `_`, `-` and `.`; or a list in OpenAI's form. Default: none.
   */
  readonly tools?: Readonly<Record<string, ChatTool>> | readonly OpenAITool[]
  /** Whether the model may call tools. Default 'auto'. */
  readonly toolChoice?: ToolChoice
  /** How the model writes calls and reasoning (docs/tools.md). Default: as its chat template and tokens say. */
  readonly format?: FormatName
  /**
   * For templates with such variables: `reasoning_effort`, and `enable_thinking` or `thinking`, which is false for 'none'. If
   * the template opens a block of reasoning all the same, 'none' ends it at once. Default: as the template says.
   */
  readonly reasoningEffort?: ReasoningEffort
}

/** A tool as OpenAI's clients describe it. */
export interface OpenAITool {
  /** Only functions are supported. */
  readonly type: 'function'
  /** The tool. */
  readonly function: Omit<ChatTool, 'execute'> & {
    /** Letters, digits, `_`, `-` and `.`. */
    readonly name: string
  }
}

/** Without tools, which are read apart. */
export const CONVERSATION_OPTIONS = {
  templateVariables: TEMPLATE_DATA.templateVariables,
  continueFinalMessage: TEMPLATE_DATA.continueFinalMessage,
  toolChoice: {
    kind: data,
    description: "whether tools may be called: 'auto', 'required', 'none', or { name }",
    defaultText: 'auto',
  },
  format: {
    kind: choice(FORMAT_NAMES),
    description: 'how the model writes calls and reasoning',
    defaultText: 'as its chat template and tokens say',
  },
  reasoningEffort: {
    kind: choice(['none', 'minimal', 'low', 'medium', 'high']),
    description: 'how much the model thinks, where its template has a variable for it',
    defaultText: 'as the template says',
  },
} satisfies OptionTable<Omit<ConversationOptions, 'tools'>>

/** Options of `session.chat`; `T`: what `value` is. */
export interface ChatOptions<T = unknown>
  extends ConversationOptions,
    Omit<PromptOptions<T>, 'tools' | 'beams' | 'skipSpecialTokens' | 'addSpecialTokens'> {
  /** Several calls in one answer. Default true; false: the answer ends with its first call. */
  readonly parallel?: boolean
  /** Most answers of one chat: after each with calls whose tools have `execute`, another follows. 1 to 100, default 8. */
  readonly maxRounds?: number
}

/** Of `session.chat`, without its tools. */
export const CHAT_OPTIONS = {
  ...withoutRows(PROMPT_OPTIONS, ['tools', 'beams', 'skipSpecialTokens', 'addSpecialTokens']),
  ...CONVERSATION_OPTIONS,
  parallel: { kind: flag, description: 'several calls in one answer', defaultText: 'true' },
  maxRounds: { kind: whole(1, 100), description: 'most answers of one chat', defaultText: '8' },
} satisfies OptionTable<Omit<ChatOptions, 'tools'>>
