import type { ToolKit, Tools } from '../options/tools.ts'
import type { Conversation } from './conversation.ts'
import type { ChatKeeper } from './keeper.ts'
import type { Settings } from './settings.ts'

/** The interface of a chat for slash commands. */
export interface ChatControl {
  readonly conversation: Conversation
  readonly settings: Settings
  /** null: the chat is not saved. */
  readonly keeper: ChatKeeper | null
  /** What the model may call; null: nothing. */
  readonly kit: ToolKit | null
  /** Replaces the tools of a file, if any, by these; those of MCP servers stay. Throws UsageError. */
  useTools(own: Tools | null): void
  /** `again`: answers a question again that was just removed. */
  answer(question: string, options?: { readonly again?: boolean }): Promise<void>
  /** Speed of the last answer and size of the cache. */
  stats(): string
  /** Shows a remark, if a person reads the output. */
  say(text: string): void
}
