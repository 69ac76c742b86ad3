import type { ConversationMessage } from '../../formats/index.ts'
import type { Conversation } from '../types/chat.ts'
import type { Message } from '../types/options/input.ts'

export type Variables = Readonly<Record<string, unknown>>

/** A conversation, and how it is written. */
export interface ChatPrompt {
  readonly messages: readonly ConversationMessage[]
  readonly conversation: Conversation
  readonly variables: Variables | undefined
  /** Answers of ours count as such where a session of the same salt wrote them. */
  readonly salt: string
}

export function chatPrompt(
  messages: readonly Message[],
  conversation: Conversation,
  variables: Variables | undefined,
  salt: string,
): ChatPrompt {
  // What they are is checked where they are written for the template.
  return { messages: messages as unknown as readonly ConversationMessage[], conversation, variables, salt }
}
