/** From a body of /v1/responses to what is asked. */
import type { ChatTool, ConversationMessage, ReasoningEffort, ToolChoice } from '../../../src/index.ts'
import type { AskOptions, ChatInput } from '../answers/ask.ts'
import { readKnobs } from '../answers/knobs.ts'
import { invalid } from '../failure.ts'
import type { Question } from '../service/service.ts'
import { readItems } from './read-items.ts'
import type { CountBody, ResponsesBody, WireTool, WireToolChoice } from './request.ts'

export interface ReadBody<T> {
  readonly asked: T
  /** What the conversation is so far, without `instructions`, which are this request's alone. */
  readonly said: readonly ConversationMessage[]
  /** Types of tools and items that were left out. */
  readonly ignored: readonly string[]
}

/** `before`: the conversation that `previous_response_id` stands for. Throws Failure naming the field. */
export function readBody(body: ResponsesBody, before: readonly ConversationMessage[]): ReadBody<Question> {
  const { asked: input, said, ignored } = readInput(body, before)
  const { max_output_tokens: maxTokens, text: _, ...others } = body
  const options = {
    ...readKnobs({ ...others, max_tokens: maxTokens }),
    ...readFormat(body.text?.format),
    ...(wantsLogprobs(body) && { logprobs: body.top_logprobs ?? 0 }),
  }
  return { asked: { model: body.model, salt: body.cache_salt, input, options }, said, ignored }
}

export function readInput(body: CountBody, before: readonly ConversationMessage[]): ReadBody<ChatInput> {
  refuseForeign(body)
  const { messages, ignored: items } = readItems(body.input ?? [])
  const said = [...before, ...messages]
  const { instructions } = body
  const all: readonly ConversationMessage[] = instructions ? [{ role: 'system', content: instructions }, ...said] : said
  if (all.length === 0) throw invalid('input is missing; expected a text or a list of items', 'input')
  const { tools, ignored } = readTools(body.tools ?? [])
  const { choice, allowed } = readToolChoice(body.tool_choice, tools)
  const effort = readEffort(body)
  const input: ChatInput = {
    kind: 'chat',
    messages: all,
    ...(allowed && {
      tools: allowed,
      ...(choice !== undefined && { toolChoice: choice }),
      parallel: body.parallel_tool_calls ?? typeof choice !== 'object',
    }),
    ...(effort && { reasoningEffort: effort }),
  }
  return { asked: input, said, ignored: [...ignored, ...items] }
}

/** Token chances are shown where a body asks for them in either way. */
export function wantsLogprobs({ include, top_logprobs: top }: ResponsesBody): boolean {
  return (top ?? 0) > 0 || (include ?? []).includes('message.output_text.logprobs')
}

function refuseForeign({ conversation, prompt, background }: CountBody): void {
  for (const [name, given] of Object.entries({ conversation, prompt })) {
    if (given === null || given === undefined) continue
    throw invalid(`${name} is kept by OpenAI's servers; expected the conversation in input`, name)
  }
  if (background) throw invalid('background is true; this server answers while the request is open', 'background')
}

type Tools = Readonly<Record<string, ChatTool>>

/** Tools that are no functions are left out: agents send such beside theirs. */
function readTools(given: readonly WireTool[]): { readonly tools: Tools; readonly ignored: readonly string[] } {
  const tools: Record<string, ChatTool> = {}
  const ignored: string[] = []
  for (const [i, { type, name, description, parameters, strict }] of given.entries()) {
    if (type !== 'function') {
      ignored.push(type)
      continue
    }
    const where = `tools[${i}].name`
    if (!name) throw invalid(`${where} is missing; expected the tool's name`, where)
    if (Object.hasOwn(tools, name)) throw invalid(`${where} is ${JSON.stringify(name)}, as an earlier one's`, where)
    tools[name] = { ...(description && { description }), ...(parameters && { parameters }), ...(strict && { strict }) }
  }
  return { tools, ignored }
}

interface Chosen {
  readonly choice: ToolChoice | undefined
  /** Undefined: there are none. */
  readonly allowed: Tools | undefined
}

function readToolChoice(given: WireToolChoice | null | undefined, tools: Tools): Chosen {
  const allowed = Object.keys(tools).length > 0 ? tools : undefined
  if (given === null || given === undefined || given === 'auto') return { choice: undefined, allowed }
  if (given === 'none') return { choice: 'none', allowed }
  if (given === 'required') {
    if (allowed) return { choice: 'required', allowed }
    throw invalid('tool_choice is "required", but there are no functions among the tools', 'tool_choice')
  }
  if (typeof given === 'object' && given.type === 'function' && given.name) {
    known(tools, given.name)
    return { choice: { name: given.name }, allowed }
  }
  if (typeof given === 'object' && given.type === 'allowed_tools') {
    const names = (given.tools ?? []).flatMap(({ type, name }) => (type === 'function' && name ? [name] : []))
    const some = Object.fromEntries(names.map(name => [name, known(tools, name)]))
    return readToolChoice(given.mode ?? 'auto', some)
  }
  throw invalid(
    `tool_choice is ${JSON.stringify(given)}; expected "auto", "none", "required", {type: "function", name} or ` +
      '{type: "allowed_tools", mode, tools}',
    'tool_choice',
  )
}

function known(tools: Tools, name: string): ChatTool {
  const tool = Object.hasOwn(tools, name) ? tools[name] : undefined
  if (tool) return tool
  throw invalid(
    `tool_choice names ${JSON.stringify(name)}; expected one of ${Object.keys(tools).join(', ') || 'no function: there is none'}`,
    'tool_choice',
  )
}

const EFFORTS: readonly string[] = ['none', 'minimal', 'low', 'medium', 'high'] satisfies ReasoningEffort[]

/** OpenAI has efforts above `high`, which no template knows. */
function readEffort({ reasoning }: CountBody): ReasoningEffort | undefined {
  const effort = reasoning?.effort
  if (!effort) return undefined
  return EFFORTS.includes(effort) ? (effort as ReasoningEffort) : 'high'
}

function readFormat(format: NonNullable<CountBody['text']>['format']): AskOptions {
  switch (format?.type) {
    case undefined:
    case 'text':
      return {}
    case 'json_object':
      return { json: true }
    case 'json_schema':
      if (format?.schema) return { schema: format.schema }
      throw invalid('text.format.schema is missing; expected a JSON schema', 'text.format.schema')
    default:
      throw invalid(
        `text.format.type is ${JSON.stringify(format?.type)}; expected text, json_object or json_schema`,
        'text.format.type',
      )
  }
}
