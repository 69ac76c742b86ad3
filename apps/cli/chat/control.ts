import type { Conversation } from './conversation.ts'
import type { ChatKeeper } from './keeper.ts'
import type { Settings } from './settings.ts'

/** What /commands can do with a chat. */
export interface ChatControl {
  readonly conversation: Conversation
  readonly settings: Settings
  /** null: the chat is not kept. */
  readonly keeper: ChatKeeper | null
  /** `again`: another try at a question that was taken back. */
  answer(question: string, options?: { readonly again?: boolean }): Promise<void>
  /** Speed of the last answer and size of the cache. */
  stats(): string
  /** A remark for a person; a pipe has no use for it. */
  say(text: string): void
}
