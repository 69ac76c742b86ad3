/** From a body of /v1/messages to what is asked. */
import type { ChatTool, ReasoningEffort, ToolChoice } from '../../../src/index.ts'
import type { AskOptions, ChatInput } from '../answers/ask.ts'
import { readKnobs } from '../answers/knobs.ts'
import { invalid } from '../failure.ts'
import type { Question } from '../service/service.ts'
import { readMessages } from './read-messages.ts'
import type { CountBody, MessagesBody, WireTool, WireToolChoice } from './request.ts'

/** What is asked, and the tools that are left out: those that are not the client's own functions. */
export interface ReadBody<T> {
  readonly asked: T
  readonly ignored: readonly string[]
}

/** Throws Failure naming the field. */
export function readBody(body: MessagesBody): ReadBody<Question> {
  const { asked: input, ignored } = readInput(body)
  const { stop_sequences: stops, ...others } = body
  const options = { ...readKnobs({ ...others, stop: stops }), ...readFormat(body), ...readBudget(body) }
  return { asked: { model: body.model, salt: body.cache_salt, input, options, counted: body.stream === true }, ignored }
}

export function readInput(body: CountBody): ReadBody<ChatInput> {
  const messages = readMessages(body)
  const { tools, ignored } = readTools(body.tools ?? [])
  const choice = readToolChoice(body.tool_choice, tools)
  const effort = readEffort(body)
  const isOne = body.tool_choice?.disable_parallel_tool_use === true || typeof choice === 'object'
  const input: ChatInput = {
    kind: 'chat',
    messages,
    ...(tools && { tools, ...(choice !== undefined && { toolChoice: choice }), parallel: !isOne }),
    ...(effort && { reasoningEffort: effort }),
    // An answer that the client has begun.
    ...(messages.at(-1)?.role === 'assistant' && { continueFinalMessage: true }),
  }
  return { asked: input, ignored }
}

function readTools(given: readonly WireTool[]) {
  const tools: Record<string, ChatTool> = {}
  const ignored: string[] = []
  for (const [i, { type, name, description, input_schema: parameters, strict }] of given.entries()) {
    if (type && type !== 'custom') {
      ignored.push(type)
      continue
    }
    const where = `tools[${i}].name`
    if (!name) throw invalid(`${where} is missing; expected the tool's name`, where)
    if (Object.hasOwn(tools, name)) throw invalid(`${where} is ${JSON.stringify(name)}, as an earlier one's`, where)
    tools[name] = { ...(description && { description }), ...(parameters && { parameters }), ...(strict && { strict }) }
  }
  return { tools: Object.keys(tools).length > 0 ? tools : undefined, ignored }
}

function readToolChoice(
  choice: WireToolChoice | null | undefined,
  tools: Readonly<Record<string, ChatTool>> | undefined,
): ToolChoice | undefined {
  switch (choice?.type) {
    case undefined:
      return undefined
    case 'auto':
    case 'none':
      return choice?.type as 'auto' | 'none'
    case 'any':
    case 'tool': {
      if (!tools) throw invalid('tool_choice asks for a call, but there are no tools', 'tool_choice')
      if (choice?.type === 'any') return 'required'
      if (choice?.name && Object.hasOwn(tools, choice.name)) return { name: choice.name }
      throw invalid(
        `tool_choice.name is ${JSON.stringify(choice?.name ?? null)}; expected one of ${Object.keys(tools).join(', ')}`,
        'tool_choice.name',
      )
    }
    default:
      throw invalid(
        `tool_choice.type is ${JSON.stringify(choice?.type)}; expected auto, any, tool or none`,
        'tool_choice.type',
      )
  }
}

const EFFORTS: readonly string[] = ['low', 'medium', 'high'] satisfies ReasoningEffort[]

/** Anthropic has efforts above `high`, which no template knows. */
function readEffort({ thinking, output_config: output }: CountBody): ReasoningEffort | undefined {
  if (thinking?.type === 'disabled') return 'none'
  const effort = output?.effort
  if (effort) return EFFORTS.includes(effort) ? (effort as ReasoningEffort) : 'high'
  return thinking?.type === 'enabled' ? 'high' : undefined
}

function readBudget({ thinking }: CountBody): AskOptions {
  const budget = thinking?.type === 'enabled' ? thinking.budget_tokens : null
  return typeof budget === 'number' ? { thinkingBudget: budget } : {}
}

function readFormat({ output_config: output, output_format: older }: CountBody): AskOptions {
  const format = output?.format ?? older
  if (!format) return {}
  const where = output?.format ? 'output_config.format' : 'output_format'
  if (format.type !== 'json_schema') {
    throw invalid(`${where}.type is ${JSON.stringify(format.type)}; expected json_schema`, `${where}.type`)
  }
  if (!format.schema) throw invalid(`${where}.schema is missing; expected a JSON schema`, `${where}.schema`)
  return { schema: format.schema }
}
