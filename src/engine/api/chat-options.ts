/** Options of a conversation, as a caller gives them. */
import type { ToolChoice } from '../../formats/index.ts'
import type { OptionRows } from '../../options/kinds.ts'
import { readable } from '../../options/plain-data.ts'
import { readOptions } from '../../options/read-options.ts'
import type { Conversation } from '../types/chat.ts'
import type { ChatOptions, ConversationOptions } from '../types/options/chat.ts'
import { CHAT_OPTIONS, CONVERSATION_OPTIONS } from '../types/options/chat.ts'
import { describedTools, readToolChoice, readTools, type Tools } from './tools.ts'

interface ReadOptions<O> {
  readonly tools: Tools
  readonly choice: ToolChoice
  /** All others. */
  readonly read: Omit<O, 'tools' | 'toolChoice'>
}

/** Throws OptionError. */
export function readChatOptions(options: ChatOptions): ReadOptions<ChatOptions> {
  return readAll<ChatOptions>(CHAT_OPTIONS, 'chat', options)
}

/** Of `countChat`. Throws OptionError. */
export function readConversationOptions(options: ConversationOptions): {
  readonly conversation: Conversation
  readonly variables: ConversationOptions['templateVariables']
} {
  const { tools, choice, read } = readAll<ConversationOptions>(CONVERSATION_OPTIONS, 'countChat', options)
  return { conversation: conversationOf(tools, choice, read), variables: read.templateVariables }
}

/** What the host needs of the options. */
export function conversationOf(
  tools: Tools,
  choice: ToolChoice,
  options: Pick<ChatOptions, 'parallel' | 'format' | 'reasoningEffort' | 'continueFinalMessage'>,
): Conversation {
  const { parallel = true, format, reasoningEffort: effort, continueFinalMessage: continues } = options
  return {
    tools: describedTools(tools),
    choice,
    parallel,
    ...(format && { format }),
    ...(effort && { effort }),
    ...(continues && { continues }),
  }
}

function readAll<O extends ConversationOptions>(table: OptionRows, what: string, options: O): ReadOptions<O> {
  const { tools: given, ...others } = readable(`The options of ${what}`, () => ({ ...options }))
  const { toolChoice, ...read } = readOptions<Omit<O, 'tools'> & ConversationOptions>(table, what, others)
  const tools = readTools(given)
  return { tools, choice: readToolChoice(toolChoice, tools), read: read as unknown as Omit<O, 'tools' | 'toolChoice'> }
}
