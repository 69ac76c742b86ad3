/** From a body of /v1/responses to what is asked. */
import type { ConversationMessage, ToolChoice } from '../../../src/index.ts'
import type { ChatInput } from '../answers/ask.ts'
import { readEffort } from '../answers/effort.ts'
import { readFormat } from '../answers/format.ts'
import { readKnobs } from '../answers/knobs.ts'
import { leftOut } from '../answers/left-out.ts'
import { refuseFields, refuseSeveral } from '../answers/refused.ts'
import { readCalls, readTools, type Tools, toolOf } from '../answers/tools.ts'
import { invalid } from '../failure.ts'
import type { Question } from '../service/service.ts'
import { type Known, readItems } from './read-items.ts'
import type { CountBody, ResponsesBody, WireToolChoice } from './request.ts'

export interface ReadBody<T> {
  readonly asked: T
  /** What the conversation is so far, without `instructions`, which are this request's alone. */
  readonly said: readonly ConversationMessage[]
  /** Types of tools and items that were left out, and fields. */
  readonly ignored: readonly string[]
}

/** `known`: the conversation that `previous_response_id` stands for, and what else was kept. Throws Failure naming the field. */
export function readBody(body: ResponsesBody, known: Known): ReadBody<Question> {
  refuseFields(body)
  refuseSeveral(body)
  const { asked: input, said, ignored } = readInput(body, known)
  const { max_output_tokens: maxTokens, text: _, ...others } = body
  const options = {
    ...readKnobs({ ...others, max_tokens: maxTokens }),
    ...readFormat(body.text?.format, { where: 'text.format', schemaAt: 'text.format.schema' }),
    ...(wantsLogprobs(body) && { logprobs: body.top_logprobs ?? 0 }),
  }
  return {
    asked: { model: body.model, salt: body.cache_salt, input, options },
    said,
    ignored: [...ignored, ...leftOut(body)],
  }
}

export function readInput(body: CountBody, known: Known): ReadBody<ChatInput> {
  refuseForeign(body)
  const { messages, ignored: items } = readItems(body.input ?? [], known)
  const said = [...known.said, ...messages]
  const { instructions } = body
  const all: readonly ConversationMessage[] = instructions ? [{ role: 'system', content: instructions }, ...said] : said
  if (all.length === 0) throw invalid('input is missing; expected a text or a list of items', 'input')
  const { tools, ignored } = readTools(
    (body.tools ?? []).map((tool, i) => ({
      ...tool,
      ...{ where: `tools[${i}].name`, foreign: tool.type === 'function' ? null : tool.type },
    })),
  )
  const effort = body.reasoning?.effort
  const input: ChatInput = {
    kind: 'chat',
    messages: all,
    ...readCalls(allowedOf(body.tool_choice, tools), readToolChoice(body.tool_choice), body.parallel_tool_calls),
    ...(effort && { reasoningEffort: readEffort(effort, 'reasoning.effort') }),
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

/** Those that may be called. */
function allowedOf(choice: WireToolChoice | null | undefined, tools: Tools): Tools {
  if (typeof choice !== 'object' || choice?.type !== 'allowed_tools') return tools
  const names = (choice.tools ?? []).flatMap(({ type, name }) => (type === 'function' && name ? [name] : []))
  return Object.fromEntries(names.map(name => [name, toolOf(tools, name)]))
}

function readToolChoice(given: WireToolChoice | null | undefined): ToolChoice | undefined {
  if (given === null || given === undefined) return undefined
  if (given === 'auto' || given === 'none' || given === 'required') return given
  if (typeof given === 'object' && given.type === 'function' && given.name) return { name: given.name }
  if (typeof given === 'object' && given.type === 'allowed_tools') return readToolChoice(given.mode)
  throw invalid(
    `tool_choice is ${JSON.stringify(given)}; expected "auto", "none", "required", {type: "function", name} or ` +
      '{type: "allowed_tools", mode, tools}',
    'tool_choice',
  )
}
