import type { Conversation, Turn, UserTurn } from './conversation.ts'
import { requestFields } from './settings.ts'

/** The body of /v1/chat/completions that asks for the turn after `turns`, or for the rest of an answer that is the last. */
export function requestBody(conversation: Conversation, turns: readonly Turn[], model: string, rest: boolean): object {
  const system = conversation.settings.system.trim()
  return {
    ...(model === '' ? {} : { model }),
    messages: [...(system === '' ? [] : [{ role: 'system', content: system }]), ...turns.flatMap(messages)],
    stream: true,
    stream_options: { include_usage: true },
    return_progress: true,
    ...(rest && { continue_final_message: true, add_generation_prompt: false }),
    ...requestFields(conversation.settings),
  }
}

/**
 * A turn as messages. Answers go back with their reasoning and calls as they came: the server finds its own tokens by
 * them and computes none again.
 */
function messages(turn: Turn): object[] {
  if (turn.role === 'user') return [{ role: 'user', content: contentOf(turn) }]
  if (turn.role === 'results')
    return turn.results.map(({ callId, text }) => ({ role: 'tool', tool_call_id: callId, content: text }))
  // An answer without anything in it, such as one that failed at once, is none.
  if (turn.text === '' && turn.calls.length === 0) return []
  const calls = turn.calls.map(call => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.arguments },
  }))
  return [
    {
      role: 'assistant',
      content: turn.text === '' && calls.length > 0 ? null : turn.text,
      ...(turn.reasoning === '' ? {} : { reasoning_content: turn.reasoning }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  ]
}

/** A message with its files: each in a fence that is longer than any inside it. */
export function contentOf({ text, files }: UserTurn): string {
  const parts = files.map(file => {
    const longest = Math.max(2, ...Array.from(file.text.matchAll(/`{3,}/g), ([fence]) => fence.length))
    const fence = '`'.repeat(longest + 1)
    return `File ${file.name}:\n${fence}\n${file.text}${file.text.endsWith('\n') ? '' : '\n'}${fence}`
  })
  return [...parts, text].filter(part => part !== '').join('\n\n')
}
