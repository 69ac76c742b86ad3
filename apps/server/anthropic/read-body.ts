/** From a body of /v1/messages to what is asked. */
import type { ReasoningEffort, ToolChoice } from '../../../src/index.ts'
import type { AskOptions, ChatInput } from '../answers/ask.ts'
import { readEffort } from '../answers/effort.ts'
import { readKnobs } from '../answers/knobs.ts'
import { leftOut } from '../answers/left-out.ts'
import { refuseFields, refuseSeveral } from '../answers/refused.ts'
import { readCalls, readTools } from '../answers/tools.ts'
import { Failure, invalid } from '../failure.ts'
import type { Question } from '../service/service.ts'
import { readMessages } from './read-messages.ts'
import type { CountBody, MessagesBody, WireToolChoice } from './request.ts'

/** What is asked, and what is left out: tools that are not the client's own functions, and fields. */
export interface ReadBody<T> {
  readonly asked: T
  readonly ignored: readonly string[]
}

/** Throws Failure naming the field. */
export function readBody(body: MessagesBody): ReadBody<Question> {
  refuseFields(body)
  refuseSeveral(body)
  const { asked: input, ignored } = readInput(body)
  const { stop_sequences: stops, ...others } = body
  const options = { ...readKnobs({ ...others, stop: stops }), ...readFormat(body), ...readBudget(body) }
  return {
    asked: { model: body.model, salt: body.cache_salt, input, options },
    ignored: [...ignored, ...leftOut(body)],
  }
}

export function readInput(body: CountBody): ReadBody<ChatInput> {
  if (Array.isArray(body.mcp_servers) && body.mcp_servers.length > 0) {
    throw invalid('mcp_servers are not reached by this server; expected their tools in tools', 'mcp_servers')
  }
  refuseThread(body)
  const messages = readMessages(body)
  const { tools, ignored } = readTools(
    (body.tools ?? []).map((tool, i) => ({
      ...{ ...tool, parameters: tool.input_schema, where: `tools[${i}].name` },
      foreign: tool.type === 'custom' ? null : tool.type,
    })),
  )
  const effort = effortOf(body)
  const parallel = body.tool_choice?.disable_parallel_tool_use === true ? false : null
  const input: ChatInput = {
    kind: 'chat',
    messages,
    ...readCalls(tools, readToolChoice(body.tool_choice), parallel),
    ...(effort && { reasoningEffort: effort }),
    // An answer that the client has begun.
    ...(messages.at(-1)?.role === 'assistant' && { continueFinalMessage: true }),
  }
  return { asked: input, ignored }
}

/** Its client's tool runner begins with a thread, and sends the whole conversation after this refusal. */
function refuseThread({ thread }: CountBody): void {
  if (thread === null || thread === undefined) return
  const code = 'thread_unsupported_request'
  throw new Failure('invalid', 'thread is not held by this server; expected the whole conversation in messages', {
    ...{ code, param: 'thread', more: { details: { error_code: code } } },
  })
}

function readToolChoice(choice: WireToolChoice | null | undefined): ToolChoice | undefined {
  switch (choice?.type) {
    case undefined:
      return undefined
    case 'auto':
    case 'none':
      return choice?.type as 'auto' | 'none'
    case 'any':
      return 'required'
    case 'tool':
      if (choice?.name) return { name: choice.name }
      throw invalid("tool_choice.name is missing; expected the tool's name", 'tool_choice.name')
    default:
      throw invalid(
        `tool_choice.type is ${JSON.stringify(choice?.type)}; expected auto, any, tool or none`,
        'tool_choice.type',
      )
  }
}

const THINKING: readonly string[] = ['enabled', 'disabled', 'adaptive']

function effortOf({ thinking, output_config: output }: CountBody): ReasoningEffort | undefined {
  if (thinking && !THINKING.includes(thinking.type)) {
    throw invalid(`thinking.type is ${JSON.stringify(thinking.type)}; expected ${THINKING.join(', ')}`, 'thinking.type')
  }
  if (thinking?.type === 'disabled') return 'none'
  if (output?.effort) return readEffort(output.effort, 'output_config.effort')
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
