/** From items of /v1/responses to the engine's messages. */
import type { ConversationMessage, ToolCall } from '../../../src/index.ts'
import { readArguments, readCallId } from '../answers/tools.ts'
import { Failure, invalid } from '../failure.ts'
import type { WireItem } from './request.ts'

/** What OpenAI's own servers did in another answer: their results are in the text that follows. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  ...['web_search_call', 'file_search_call', 'code_interpreter_call', 'image_generation_call'],
  ...['mcp_list_tools', 'mcp_call', 'mcp_approval_request', 'mcp_approval_response'],
])

/** The answer that is being put together of reasoning, text and calls. */
interface Draft {
  reasoning: string
  content: string
  readonly toolCalls: ToolCall[]
}

export interface ReadItems {
  readonly messages: readonly ConversationMessage[]
  /** Types of items that were left out. */
  readonly ignored: readonly string[]
}

/** What items may refer to. */
export interface Known {
  /** The conversation so far, whose calls may be answered. */
  readonly said: readonly ConversationMessage[]
  /** An item of an earlier answer, by its id. */
  item(id: string): WireItem | undefined
}

/** Throws Failure naming the item. */
export function readItems(input: string | readonly WireItem[], known: Known): ReadItems {
  if (typeof input === 'string') return { messages: [{ role: 'user', content: input }], ignored: [] }
  const reader = new ItemReader(known)
  for (const [i, item] of input.entries()) reader.add(item, `input[${i}]`)
  return { messages: reader.end(), ignored: reader.ignored }
}

class ItemReader {
  readonly ignored: string[] = []
  readonly #messages: ConversationMessage[] = []
  readonly #known: Known
  /** Ids of the calls so far. */
  readonly #calls: Set<string>
  /** Ids of items that were referred to. */
  readonly #referredTo = new Set<string>()
  #draft: Draft | null = null

  constructor(known: Known) {
    this.#known = known
    const calls = known.said.flatMap(message => (message.role === 'assistant' ? (message.toolCalls ?? []) : []))
    this.#calls = new Set(calls.map(({ id }) => id))
  }

  add(item: WireItem, where: string): void {
    const type = item.type ?? 'message'
    switch (type) {
      case 'message':
        this.#message(item, where)
        break
      case 'reasoning':
        this.#drafted.reasoning += reasoningOf(item)
        break
      case 'function_call':
        this.#drafted.toolCalls.push({ ...this.#call(item, where), arguments: readArguments(item.arguments) })
        break
      case 'custom_tool_call':
        this.#drafted.toolCalls.push({ ...this.#call(item, where), arguments: { input: item.input ?? '' } })
        break
      case 'function_call_output':
      case 'custom_tool_call_output':
        this.#result(item, where)
        break
      case 'item_reference':
        this.#referred(item, where)
        break
      default:
        if (!ELSEWHERE.has(type)) {
          throw invalid(
            `${where} is an item of type ${JSON.stringify(type)}; expected message, reasoning, function_call or function_call_output`,
            where,
            'unsupported_content',
          )
        }
        this.ignored.push(type)
    }
  }

  /** Clients that leave answers to the server send only their items' ids: each once, or a short body would be a text without end. */
  #referred({ id }: WireItem, where: string): void {
    if (typeof id !== 'string') throw missing(`${where}.id`, 'the id of an item')
    if (this.#referredTo.has(id)) {
      throw invalid(`${where} refers to ${JSON.stringify(id)} a second time; expected each item once`, where)
    }
    this.#referredTo.add(id)
    const item = this.#known.item(id)
    if (!item) {
      const message = `${where} refers to ${JSON.stringify(id)}, which is not kept here (any more): send the item itself.`
      throw new Failure('missing', message, { code: 'item_not_found', param: where })
    }
    this.add(item, where)
  }

  end(): readonly ConversationMessage[] {
    this.#flush()
    return this.#messages
  }

  get #drafted(): Draft {
    this.#draft ??= { reasoning: '', content: '', toolCalls: [] }
    return this.#draft
  }

  #message({ role, content }: WireItem, where: string): void {
    switch (role) {
      case 'assistant':
        // Parts of one answer are pieces of one text.
        this.#drafted.content += readText(content, `${where}.content`, '')
        break
      case 'system':
      case 'developer':
      case 'user': {
        this.#flush()
        this.#messages.push({ role, content: readText(content, `${where}.content`, '\n') })
        break
      }
      default:
        throw invalid(
          `${where}.role is ${JSON.stringify(role)}; expected user, assistant, system or developer`,
          `${where}.role`,
        )
    }
  }

  #call({ call_id: id, name }: WireItem, where: string): Pick<ToolCall, 'id' | 'name'> {
    if (typeof id !== 'string') throw missing(`${where}.call_id`, 'the id of the call')
    if (typeof name !== 'string') throw missing(`${where}.name`, "the tool's name")
    this.#calls.add(id)
    return { id, name }
  }

  #result({ call_id, output }: WireItem, where: string): void {
    const content = readText(output, `${where}.output`, '\n')
    const toolCallId = readCallId(call_id, this.#calls, `${where}.call_id`)
    this.#flush()
    this.#messages.push({ role: 'tool', toolCallId, content })
  }

  #flush(): void {
    const draft = this.#draft
    this.#draft = null
    if (!draft) return
    const { reasoning, content, toolCalls } = draft
    this.#messages.push({
      role: 'assistant',
      content: content === '' && toolCalls.length > 0 ? null : content,
      ...(reasoning !== '' && { reasoning }),
      ...(toolCalls.length > 0 && { toolCalls }),
    })
  }
}

interface Part {
  readonly type?: unknown
  readonly text?: unknown
}

function readText(content: unknown, where: string, between: string): string {
  if (content === null || content === undefined) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw invalid(`${where} is of another kind; expected a text or a list of parts`, where)
  return content.map((part: Part | null, i) => partText(part ?? {}, `${where}[${i}]`)).join(between)
}

const TEXTS: readonly unknown[] = ['input_text', 'output_text', 'text', 'reasoning_text', 'summary_text']

function partText({ type, text }: Part, where: string): string {
  if (TEXTS.includes(type) && typeof text === 'string') return text
  if (type === 'refusal') return ''
  throw invalid(
    `${where} is a part of type ${JSON.stringify(type)}; this server reads text only`,
    where,
    'unsupported_content',
  )
}

/** As it was, else its summary, which is the same here. */
function reasoningOf({ content, summary }: WireItem): string {
  const texts = (parts: unknown) =>
    Array.isArray(parts) ? parts.map(({ text }: Part) => (typeof text === 'string' ? text : '')).join('') : ''
  return texts(content) || texts(summary)
}

function missing(where: string, expected: string): Failure {
  return invalid(`${where} is missing; expected ${expected}`, where)
}
