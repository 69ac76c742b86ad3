/** From a body of chat.completions to what is asked. */

import type { ChatTool, ConversationMessage, MessageText, ToolCall, ToolChoice } from '../../../src/index.ts'
import type { AskOptions, ChatInput } from '../answers/ask.ts'
import { readKnobs } from '../answers/knobs.ts'
import { invalid } from '../failure.ts'
import type { Question } from '../service/service.ts'
import type { ChatBody, ResponseFormat, WireMessage, WireTool, WireToolChoice } from './request.ts'

/** Throws Failure naming the field. */
export function readChat(body: ChatBody): Question {
  const tools = readTools(body.tools ?? [])
  const toolChoice = readToolChoice(body.tool_choice)
  const input: ChatInput = {
    kind: 'chat',
    messages: body.messages.map(readMessage),
    ...(tools && { tools }),
    ...(tools && toolChoice !== undefined && { toolChoice }),
    ...(tools && { parallel: body.parallel_tool_calls ?? !isNamed(toolChoice) }),
    ...readThinking(body),
    ...(continues(body) && { continueFinalMessage: true }),
  }
  return {
    model: body.model,
    salt: body.cache_salt,
    input,
    ...(body.n && { n: body.n }),
    options: { ...readKnobs(body), ...readFormat(body.response_format), ...readLogprobs(body) },
  }
}

function readMessage(message: WireMessage, i: number): ConversationMessage {
  const where = `messages[${i}]`
  const { role } = message
  const content = readContent(message.content, `${where}.content`)
  switch (role) {
    case 'system':
    case 'developer':
    case 'user':
      return { role, content: content ?? '' }
    case 'assistant': {
      const reasoning = message.reasoning_content ?? message.reasoning
      const calls = (message.tool_calls ?? []).map((call, c): ToolCall => {
        const { name, arguments: given } = call.function
        return { id: call.id ?? `call_${i}_${c}`, name, arguments: readArguments(given) }
      })
      return { role, content, ...(reasoning && { reasoning }), ...(calls.length > 0 && { toolCalls: calls }) }
    }
    case 'tool':
    case 'function':
      return { role: 'tool', toolCallId: message.tool_call_id ?? '', content: content ?? '' }
    default:
      throw invalid(
        `${where}.role is ${JSON.stringify(role)}; expected system, developer, user, assistant or tool`,
        `${where}.role`,
      )
  }
}

function readContent(content: WireMessage['content'], where: string): MessageText | null {
  if (content === null || content === undefined || typeof content === 'string') return content ?? null
  return content.map((part, i) => {
    const { type, text } = part as { readonly type: string; readonly text?: unknown }
    if ((type === 'text' || type === 'input_text' || type === 'output_text') && typeof text === 'string') {
      return { type: 'text', text } as const
    }
    if (type === 'refusal') return { type: 'text', text: '' } as const
    throw invalid(
      `${where}[${i}] is a part of type ${JSON.stringify(type)}; this server reads text only`,
      `${where}[${i}]`,
      'unsupported_content',
    )
  })
}

/** What a model cut off may be no JSON: then it is as if it had no arguments, which is better than no answer for ever. */
function readArguments(given: string | object | null | undefined): Readonly<Record<string, unknown>> {
  if (typeof given === 'object' && given !== null) return given as Record<string, unknown>
  try {
    const value: unknown = JSON.parse(given ?? '')
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {}
  } catch {
    return {}
  }
}

/** Tools that are no functions are left out: agents send such beside theirs. */
function readTools(given: readonly WireTool[]): Readonly<Record<string, ChatTool>> | undefined {
  const tools: Record<string, ChatTool> = {}
  for (const [i, tool] of given.entries()) {
    if (!tool.function) continue
    const { name, description, parameters, strict } = tool.function
    if (Object.hasOwn(tools, name)) {
      throw invalid(
        `tools[${i}].function.name is ${JSON.stringify(name)}, as an earlier one's`,
        `tools[${i}].function.name`,
      )
    }
    tools[name] = {
      ...(description && { description }),
      ...(parameters && { parameters }),
      ...(typeof strict === 'boolean' && { strict }),
    }
  }
  return Object.keys(tools).length > 0 ? tools : undefined
}

/** Who names one tool wants one call. */
function isNamed(choice: ToolChoice | undefined): boolean {
  return typeof choice === 'object'
}

function readToolChoice(choice: WireToolChoice | null | undefined): ToolChoice | undefined {
  if (choice === null || choice === undefined) return undefined
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice
  if (choice === 'any') return 'required'
  const named = typeof choice === 'object' ? (choice as { function?: { name?: unknown }; name?: unknown }) : {}
  const name = named.function?.name ?? named.name
  if (typeof name === 'string') return { name }
  throw invalid(
    `tool_choice is ${JSON.stringify(choice)}; expected "auto", "none", "required" or {type: "function", function: {name}}`,
    'tool_choice',
  )
}

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high'] as const

function readThinking({ chat_template_kwargs: variables, reasoning_effort: effort }: ChatBody) {
  // Some clients know one more.
  const wanted = effort === 'xhigh' || effort === 'max' ? 'high' : effort
  const known = EFFORTS.find(name => name === wanted)
  if (effort && !known) {
    throw invalid(
      `reasoning_effort is ${JSON.stringify(effort)}; expected ${EFFORTS.join(', ')} or xhigh`,
      'reasoning_effort',
    )
  }
  return { ...(variables && { templateVariables: variables }), ...(known && { reasoningEffort: known }) }
}

/** vLLM's pair of fields. */
function continues({ continue_final_message: wanted, add_generation_prompt: opens }: ChatBody): boolean {
  return wanted === true && opens !== true
}

export function readFormat(format: ResponseFormat | null | undefined): AskOptions {
  switch (format?.type) {
    case undefined:
    case 'text':
      return {}
    case 'json_object':
      return isSchema(format.schema) ? { schema: format.schema } : { json: true }
    case 'json_schema': {
      const schema = format.json_schema?.schema ?? format.schema
      if (isSchema(schema)) return { schema }
      throw invalid(
        'response_format.json_schema.schema is missing; expected a JSON schema',
        'response_format.json_schema.schema',
      )
    }
    default:
      throw invalid(
        `response_format.type is ${JSON.stringify(format?.type)}; expected text, json_object or json_schema`,
        'response_format.type',
      )
  }
}

function isSchema(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readLogprobs({ logprobs, top_logprobs: top }: ChatBody): AskOptions {
  if (!logprobs) {
    if (typeof top === 'number' && top > 0) {
      throw invalid('top_logprobs was given without logprobs: true; expected both', 'top_logprobs')
    }
    return {}
  }
  return { logprobs: top ?? 0 }
}
