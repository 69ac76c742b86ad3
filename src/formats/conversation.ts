/** Messages as callers give them: in our form, or in OpenAI's (`tool_calls`, `tool_call_id`, `reasoning_content`). */
import { OptionError } from '../errors.ts'
import { show } from '../options/show.ts'
import type { ConversationMessage, ToolCall } from './messages.ts'
import { JsonValue, readAll } from './read/json-value.ts'

type Given = Readonly<Record<string, unknown>>

/** The same messages in our form. Throws OptionError naming the place of what is none. */
export function readConversation(messages: readonly unknown[]): ConversationMessage[] {
  return messages.map((message, i) => {
    if (typeof message !== 'object' || message === null || Array.isArray(message)) {
      throw new OptionError(`messages[${i}] is ${show(message)}; expected a message: { role, content }`)
    }
    return readMessage(message as Given, `messages[${i}]`) as unknown as ConversationMessage
  })
}

function readMessage(message: Given, where: string): Given {
  if (message.role === 'tool') return readResult(message, where)
  if (message.role !== 'assistant') return message
  const { tool_calls: theirs, reasoning_content: thought, toolCalls: ours, reasoning, ...rest } = message
  const thoughts = reasoning ?? thought ?? undefined
  if (thoughts !== undefined && typeof thoughts !== 'string') {
    throw new OptionError(`${where}.reasoning is ${show(thoughts)}; expected a text`)
  }
  const calls = ours ?? theirs ?? undefined
  return {
    ...rest,
    ...(thoughts !== undefined && { reasoning: thoughts }),
    ...(calls !== undefined && {
      toolCalls: readCalls(calls, `${where}.${ours === undefined ? 'tool_calls' : 'toolCalls'}`),
    }),
  }
}

function readResult({ tool_call_id: theirs, toolCallId = theirs, ...rest }: Given, where: string): Given {
  if (typeof toolCallId !== 'string') {
    throw new OptionError(`${where}.toolCallId is ${show(toolCallId)}; expected the id of the call that it answers`)
  }
  return { ...rest, toolCallId }
}

function readCalls(calls: unknown, where: string): ToolCall[] {
  if (!Array.isArray(calls)) throw new OptionError(`${where} is ${show(calls)}; expected a list of calls`)
  return calls.map((call: unknown, i) => {
    const outer = (typeof call === 'object' && call !== null ? call : {}) as Given
    const inner = (typeof outer.function === 'object' && outer.function !== null ? outer.function : outer) as Given
    const { name } = inner
    if (typeof name !== 'string') {
      throw new OptionError(`${where}[${i}].name is ${show(name)}; expected a call: { id, name, arguments }`)
    }
    const { id = `${name}:${i}` } = outer
    if (typeof id !== 'string') throw new OptionError(`${where}[${i}].id is ${show(id)}; expected a text`)
    return { id, name, arguments: readArguments(inner.arguments, `${where}[${i}].arguments`) }
  })
}

/** Clients send back what they got, also of a call that was cut off: of a text that is no JSON, what can be read counts. */
function readArguments(given: unknown, where: string): ToolCall['arguments'] {
  if (given === undefined || given === null) return {}
  if (typeof given === 'object' && !Array.isArray(given)) return given as ToolCall['arguments']
  if (typeof given !== 'string') throw new OptionError(`${where} is ${show(given)}; expected an object, or its JSON`)
  let written = ''
  const value = new JsonValue(text => {
    written += text
  })
  readAll(value, given.trim())
  const read: unknown = JSON.parse(written)
  return typeof read === 'object' && read !== null && !Array.isArray(read) ? (read as ToolCall['arguments']) : {}
}
