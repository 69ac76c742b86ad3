/**
 * Ids of calls on the wire. The engine counts calls within a conversation, as some templates want it; clients store them over conversations.
 * So what goes out has a random end, by which no two of a server are equal, and what comes back loses it: the prompt has the ids that the
 * model's family writes, and an answer of ours is known again.
 */
import { randomBytes } from 'node:crypto'
import type { ConversationMessage } from '../../../src/index.ts'

const SEPARATOR = '-'
/** Hexadecimal digits: 64 random bits. */
const DIGITS = 16
const WIRE = new RegExp(`^(.+)${SEPARATOR}[0-9a-f]{${DIGITS}}$`, 's')
/** Kimi's: the family's clients give it back as the model wrote it, and read the name from it. */
const KIMI = /^functions\..+:\d+$/s

/** The id that clients see. */
export function wireCallId(id: string): string {
  return KIMI.test(id) ? id : `${id}${SEPARATOR}${randomBytes(DIGITS / 2).toString('hex')}`
}

/** A conversation with the engine's ids. Of two that would be equal, as in histories that were joined, the later one stays as it is. */
export function engineCallIds(messages: readonly ConversationMessage[]): readonly ConversationMessage[] {
  const own = new Map<string, string>()
  const taken = new Set<string>()
  const engineId = (id: string) => {
    const known = own.get(id)
    if (known !== undefined) return known
    const [, inner = id] = WIRE.exec(id) ?? []
    const given = taken.has(inner) ? id : inner
    own.set(id, given)
    taken.add(given)
    return given
  }
  return messages.map(message => {
    if (message.role === 'tool') return { ...message, toolCallId: own.get(message.toolCallId) ?? message.toolCallId }
    if (message.role !== 'assistant' || !message.toolCalls) return message
    return { ...message, toolCalls: message.toolCalls.map(call => ({ ...call, id: engineId(call.id) })) }
  })
}
