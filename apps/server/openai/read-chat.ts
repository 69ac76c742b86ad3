/** From a body of chat.completions to what is asked. */
import type { ConversationMessage, MessageText, ToolCall, ToolChoice } from '../../../src/index.ts'
import type { AskOptions, ChatInput } from '../answers/ask.ts'
import { readEffort, readThinks } from '../answers/effort.ts'
import { readFormat } from '../answers/format.ts'
import { readKnobs } from '../answers/knobs.ts'
import { leftOut } from '../answers/left-out.ts'
import { refuseFields } from '../answers/refused.ts'
import { readArguments, readCallId, readCalls, readTools, type Tools, toolOf } from '../answers/tools.ts'
import { type Failure, invalid } from '../failure.ts'
import type { Question } from '../service/service.ts'
import { AllowedTools, type ChatBody, type ResponseFormat, type WireMessage, type WireToolChoice } from './request.ts'

interface ReadChat {
  readonly asked: Question<ChatInput>
  /** Types of tools that are left out, those that are no functions, and fields. */
  readonly ignored: readonly string[]
}

/** Throws Failure naming the field. */
export function readChat(body: ChatBody): ReadChat {
  refuseFields(body)
  const { tools, ignored } = readTools(
    (body.tools ?? []).map(({ type, function: one }, i) => {
      if (!one && type === 'function') throw noFunction(`tools[${i}].function`)
      return { ...one, ...{ where: `tools[${i}].function.name`, foreign: one ? null : (type ?? 'unknown') } }
    }),
  )
  const { allowed, choice } = readAllowed(body.tool_choice, tools)
  const input: ChatInput = {
    kind: 'chat',
    messages: readMessages(body.messages),
    ...readCalls(allowed, readToolChoice(choice), body.parallel_tool_calls),
    ...readThinking(body),
    ...(continues(body) && { continueFinalMessage: true }),
  }
  const asked = {
    model: body.model,
    salt: body.cache_salt,
    slot: body.id_slot,
    input,
    ...(body.n && { n: body.n }),
    options: { ...readKnobs(body), ...readResponseFormat(body.response_format), ...readLogprobs(body) },
  }
  return { asked, ignored: [...ignored, ...leftOut(body)] }
}

/** As /v1/responses has it: left out, nobody would know why it is never called. */
function noFunction(where: string): Failure {
  return invalid(`${where} is missing; expected {name, description, parameters}`, where)
}

function readMessages(messages: readonly WireMessage[]): readonly ConversationMessage[] {
  const calls = new Set<string>()
  return messages.map((message, i) => readMessage(message, i, calls))
}

/** `seen`: ids of the calls before it, to which its own are added. */
function readMessage(message: WireMessage, i: number, seen: Set<string>): ConversationMessage {
  const where = `messages[${i}]`
  const { role } = message
  const content = readContent(message.content, `${where}.content`)
  switch (role) {
    case 'system':
    case 'developer':
    case 'user':
      return { role, content: content ?? '' }
    case 'assistant': {
      if (message.function_call) {
        throw invalid(`${where}.function_call is the form before tools; expected tool_calls`, `${where}.function_call`)
      }
      const reasoning = message.reasoning_content ?? message.reasoning
      const calls = (message.tool_calls ?? []).map((call, c): ToolCall => {
        const { name, arguments: given } = call.function
        const id = call.id ?? `call_${i}_${c}`
        seen.add(id)
        return { id, name, arguments: readArguments(given) }
      })
      return { role, content, ...(reasoning && { reasoning }), ...(calls.length > 0 && { toolCalls: calls }) }
    }
    case 'tool':
    case 'function':
      return {
        role: 'tool',
        toolCallId: readCallId(message.tool_call_id, seen, `${where}.tool_call_id`),
        content: content ?? '',
      }
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
    if (type === 'text') throw invalid(`${where}[${i}].text is missing; expected a text`, `${where}[${i}].text`)
    throw invalid(
      `${where}[${i}] is a part of type ${JSON.stringify(type)}; this server reads text only`,
      `${where}[${i}]`,
      'unsupported_content',
    )
  })
}

/** `{type: "allowed_tools", allowed_tools: {mode, tools}}` is a choice among some of the tools. */
function readAllowed(
  choice: ChatBody['tool_choice'],
  tools: Tools,
): { readonly allowed: Tools; readonly choice: ChatBody['tool_choice'] } {
  if (typeof choice !== 'object' || choice?.type !== 'allowed_tools') return { allowed: tools, choice }
  const read = AllowedTools.safeParse(choice.allowed_tools)
  if (!read.success) {
    const where = 'tool_choice.allowed_tools'
    throw invalid(`${where} is not what is expected: {mode: "auto" or "required", tools: [{function: {name}}]}`, where)
  }
  const names = read.data.tools.map(({ function: { name } }) => name)
  return { allowed: Object.fromEntries(names.map(name => [name, toolOf(tools, name)])), choice: read.data.mode }
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

function readThinking(body: ChatBody): Pick<ChatInput, 'templateVariables' | 'reasoningEffort'> {
  const { chat_template_kwargs: variables, reasoning_effort: effort, reasoning } = body
  const thinks = readThinks(wantsThinking(body))
  const all = { ...thinks.templateVariables, ...variables }
  return {
    ...thinks,
    ...(Object.keys(all).length > 0 && { templateVariables: all }),
    ...(reasoning?.effort && { reasoningEffort: readEffort(reasoning.effort, 'reasoning.effort') }),
    ...(effort && { reasoningEffort: readEffort(effort, 'reasoning_effort') }),
  }
}

/** As other servers' clients write it. */
function wantsThinking({ enable_thinking: enabled, thinking, reasoning }: ChatBody): boolean | undefined {
  const type = thinking?.type
  if (type === 'enabled' || type === 'disabled') return type === 'enabled'
  return enabled ?? reasoning?.enabled ?? undefined
}

/** vLLM's pair of fields, or a last message that says so: `prefix` of DeepSeek and Mistral, `partial` of Moonshot and Qwen. */
function continues({ continue_final_message: wanted, add_generation_prompt: opens, messages }: ChatBody): boolean {
  const last = messages.at(-1)
  const isBegun = last?.role === 'assistant' && (last.prefix === true || last.partial === true)
  return (wanted === true || isBegun) && opens !== true
}

export function readResponseFormat(format: ResponseFormat | null | undefined): AskOptions {
  const schema = format?.json_schema?.schema ?? format?.schema
  return readFormat(format && { type: format.type, schema }, {
    where: 'response_format',
    schemaAt: 'response_format.json_schema.schema',
  })
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
