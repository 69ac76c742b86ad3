/** Options of `engine.applyChatTemplate`, and what prompts of messages share with it. */
import { data, fields, flag, list, type OptionTable } from '../../../options/kinds.ts'

export const TEMPLATE_DATA = {
  tools: {
    kind: list(data, 'tool definitions'),
    description: "tool definitions in OpenAI's form, for the chat template",
  },
  templateVariables: { kind: fields, description: 'further variables of the chat template' },
  continueFinalMessage: { kind: flag, description: 'go on with the last message instead of answering it' },
} as const

/** Options of `engine.applyChatTemplate`. */
export interface ChatTemplateOptions {
  /** End with the opening of the assistant's answer. Default true, but false with continueFinalMessage. */
  readonly addGenerationPrompt?: boolean
  /** Leave the last message open, so that a text goes on with it. Not with addGenerationPrompt. Default false. */
  readonly continueFinalMessage?: boolean
  /** Tool definitions in OpenAI's form. Default: none. */
  readonly tools?: readonly unknown[]
  /** Further variables of the template, such as `enable_thinking`. */
  readonly templateVariables?: Readonly<Record<string, unknown>>
}

export const TEMPLATE_OPTIONS = {
  addGenerationPrompt: {
    kind: flag,
    description: "end with the opening of the assistant's answer",
    defaultText: 'true',
  },
  ...TEMPLATE_DATA,
} satisfies OptionTable<ChatTemplateOptions>
