/** Messages as callers give them: in our form, or in OpenAI's (`tool_calls`, `tool_call_id`, `reasoning_content`). */
import { OptionError } from '../errors.ts'
import { nearest } from '../options/nearest.ts'
import { show } from '../options/show.ts'
import type { ConversationMessage, ToolCall } from './messages.ts'
import { JsonValue, readAll } from './read/json-value.ts'

type Given = Readonly<Record<string, unknown>>

/** The same messages in our form. Throws OptionError naming the place of what is none. */
export function readConversation(messages: readonly unknown[]): ConversationMessage[] {
  if (messages.length === 0) throw new OptionError('messages is an empty list; expected at least one message')
  const calls = new Set<string>()
  return messages.map((given, i) => {
    const where = `messages[${i}]`
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      throw new OptionError(`${where} is ${show(given)}; expected a message: { role, content }`)
    }
    checkFields(given, where)
    const message = readMessage(given as Given, where) as unknown as ConversationMessage
    if (message.role === 'assistant') for (const { id } of message.toolCalls ?? []) calls.add(id)
    if (message.role === 'tool' && !calls.has(message.toolCallId)) {
      const known =
        calls.size === 0
          ? 'no message before it calls a tool'
          : `calls before it are ${[...calls].map(show).join(', ')}`
      throw new OptionError(`${where}.toolCallId is ${show(message.toolCallId)}, which no call has; ${known}`)
    }
    return message
  })
}

const FIELDS = [
  'role',
  'content',
  'reasoning',
  'reasoning_content',
  'toolCalls',
  'tool_calls',
  'toolCallId',
  'tool_call_id',
  'name',
]

/** Clients add fields of their own, but one that is nearly ours was meant to be read. */
function checkFields(message: object, where: string): void {
  for (const key of Object.keys(message)) {
    const meant = FIELDS.includes(key) ? undefined : nearest(key, FIELDS)
    if (meant !== undefined) throw new OptionError(`${where} has no field ${show(key)}; did you mean ${meant}?`)
  }
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
