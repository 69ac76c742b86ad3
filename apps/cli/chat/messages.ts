import type { Message } from '../../../src/index.ts'

/** Whether a list that came from a file is a conversation. */
export function isConversation(list: unknown): list is Message[] {
  return Array.isArray(list) && list.every(isMessage)
}

function isMessage(m: unknown): m is Message {
  return (
    typeof m === 'object' &&
    m !== null &&
    'role' in m &&
    'content' in m &&
    typeof m.role === 'string' &&
    (typeof m.content === 'string' || m.content === null)
  )
}

/** The messages as text, for people. */
export function transcript(messages: readonly Message[]): string {
  return messages.map(message => `${message.role}: ${textOf(message)}`).join('\n\n')
}

function textOf({ content, toolCalls }: Message): string {
  const calls = Array.isArray(toolCalls) ? toolCalls : []
  const shown = calls.map(({ name, arguments: given }) => `${name}(${JSON.stringify(given)})`)
  return [...(content ? [content] : []), ...shown].join('\n')
}

/** The first line, shortened. */
export function firstLine(text: string): string {
  const [line = ''] = text.trimStart().split('\n')
  return line.length > 60 ? `${line.slice(0, 60)}…` : line
}
