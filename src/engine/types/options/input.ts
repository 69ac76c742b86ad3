/** What a session reads. */
import { anyText, type OptionTable } from '../../../options/kinds.ts'

/** A prompt by its token ids. */
export interface PromptTokens {
  /** Read as they are: nothing is put before them, and no text is cut into tokens. */
  readonly tokenIds: ArrayLike<number>
}

/** What a session reads: a text or token ids, which continue its timeline, or the messages of a whole conversation. */
export type Prompt = string | PromptTokens | readonly Message[]

/** One message of a conversation. Other keys (`tool_calls`, `name` …) are passed to the chat template unchanged. */
export interface Message {
  /** The author; a model's template may define other roles than these four. */
  readonly role: 'system' | 'user' | 'assistant' | 'tool' | (string & {})
  /** The text; null in a message that only calls tools. */
  readonly content: string | null
  readonly [extra: string]: unknown
}

/** The texts around a gap. */
export interface InfillText {
  /** The text before the gap. */
  readonly prefix: string
  /** The text after it. */
  readonly suffix: string
}

export const INFILL_TEXT = {
  prefix: { kind: anyText, description: 'the text before the gap' },
  suffix: {
    kind: anyText,
    description: 'the text after the gap: the model writes what goes between',
    flag: '--suffix <text>',
  },
} satisfies OptionTable<InfillText>
