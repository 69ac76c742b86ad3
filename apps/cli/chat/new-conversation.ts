import type { ChatCall, Engine, Message, Session } from '../../../src/index.ts'
import { UsageError } from '../exit.ts'
import type { ToolKit } from '../options/tools.ts'
import { type Conversation, PlainConversation, TemplatedConversation } from './conversation.ts'
import { ToolConversation } from './tool-conversation.ts'

/** What a conversation begins with. */
export interface ConversationStart {
  readonly session?: Session
  readonly messages?: readonly Message[]
  /** null: the model may call nothing. */
  readonly kit?: ToolKit | null
  /** Calls of the last message that have no result yet; with a kit only. */
  readonly awaits?: readonly ChatCall[]
}

/** A new conversation, or one that continues a session which already contains these messages. */
export function newConversation(
  engine: Engine,
  { session = engine.session(), messages = [], kit = null, awaits }: ConversationStart = {},
): Conversation {
  const { hasChatTemplate, name } = engine.info
  if (kit) {
    if (!hasChatTemplate) throw new UsageError(`${name} has no chat template, so tools have no place`)
    return new ToolConversation(engine, session, messages, kit, awaits)
  }
  return hasChatTemplate
    ? new TemplatedConversation(engine, session, messages)
    : new PlainConversation(engine, session, messages)
}
