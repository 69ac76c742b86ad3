/** A conversation in the shape that a chat template accepts. */
import { OptionError } from '../../errors.ts'
import type { AssistantMessage, ConversationMessage, ToolCall, ToolDescription } from '../messages.ts'
import { textOf } from '../messages.ts'
import type { ChatFormat } from '../table/format.ts'
import { jsonText, writeCalls } from '../table/write-calls.ts'
import type { Capabilities } from './capabilities.ts'
import type { TemplateMessage, TemplateTool } from './render.ts'
import { templateTool, toolsText } from './tools-text.ts'

/** What a template is given. */
export interface Normalised {
  readonly messages: readonly TemplateMessage[]
  /** Undefined: there are none, or the messages describe them. */
  readonly tools: readonly TemplateTool[] | undefined
}

/** Throws OptionError for a message that is none, and for parts that are not text. */
export function normalise(
  given: readonly ConversationMessage[],
  tools: readonly ToolDescription[],
  capabilities: Capabilities,
  format: ChatFormat,
): Normalised {
  const writer = new Writer(capabilities, format)
  for (const [i, message] of given.entries()) writer.add(message, `messages[${i}]`)
  const described = tools.length > 0 && !capabilities.tools ? toolsText(format, tools) : null
  return {
    messages: writer.messages(described),
    tools: tools.length > 0 && described === null ? tools.map(templateTool) : undefined,
  }
}

type Draft = { -readonly [K in keyof TemplateMessage]: TemplateMessage[K] } & { content: string | null }

class Writer {
  readonly #can: Capabilities
  readonly #format: ChatFormat
  readonly #drafts: Draft[] = []
  /** Calls by id, with those that wait for their result where each has a message of its own. */
  readonly #calls = new Map<string, ToolCall>()
  readonly #waiting = new Map<string, Draft>()
  /** Ids as the template takes them, and all of these. */
  readonly #ids = new Map<string, string>()
  readonly #taken = new Set<string>()
  /** Ids of calls that are written as text. */
  readonly #written = new Set<string>()
  #count = 0

  constructor(capabilities: Capabilities, format: ChatFormat) {
    this.#can = capabilities
    this.#format = format
  }

  add(message: ConversationMessage, where: string): void {
    switch (message.role) {
      case 'system':
      case 'developer':
        this.#drafts.push({ role: 'system', content: textOf(message.content, `${where}.content`) })
        break
      case 'user':
        this.#drafts.push({ role: 'user', content: textOf(message.content, `${where}.content`) })
        break
      case 'assistant':
        this.#assistant(message, textOf(message.content, `${where}.content`))
        break
      case 'tool':
        this.#result(message.toolCallId, textOf(message.content, `${where}.content`))
        break
      default:
        throw new OptionError(
          `${where}.role is ${JSON.stringify((message as { role?: unknown }).role)}; ` +
            'expected system, developer, user, assistant or tool',
        )
    }
  }

  messages(tools: string | null): TemplateMessage[] {
    // Calls whose results never came: each has a message of its own all the same.
    for (const draft of this.#waiting.values()) this.#drafts.push(draft)
    this.#waiting.clear()
    let drafts = this.#joinSystem(tools)
    if (!this.#can.lateSystem) drafts = drafts.map((draft, i) => (i > 0 && isSystem(draft) ? asUser(draft) : draft))
    if (!this.#can.system) drafts = drafts.map(draft => (isSystem(draft) ? asUser(draft) : draft))
    if (!this.#can.repeatedUser) drafts = joinTurns(drafts)
    return this.#can.text ? drafts : drafts.map(inParts)
  }

  #assistant(message: AssistantMessage, content: string): void {
    const { toolCalls = [], reasoning } = message
    const field = this.#can.reasoning
    const thought = reasoning && field !== null ? { [field]: reasoning } : {}
    const before = this.#count
    this.#count += toolCalls.length
    for (const call of toolCalls) this.#calls.set(call.id, call)
    const shape = this.#can.calls
    if (toolCalls.length === 0) this.#drafts.push({ role: 'assistant', content, ...thought })
    else if (shape === null || (content !== '' && !this.#can.contentWithCalls)) {
      for (const { id } of toolCalls) this.#written.add(id)
      const written = writeCalls(this.#format, toolCalls, before)
      this.#drafts.push({ role: 'assistant', content: content + written, ...thought })
    } else if (toolCalls.length === 1 || this.#can.severalCalls) {
      this.#drafts.push({ ...this.#calling(toolCalls, content), ...thought })
    } else {
      // One call per message: each comes right before its result.
      for (const [i, call] of toolCalls.entries()) {
        this.#waiting.set(call.id, { ...this.#calling([call], i === 0 ? content : ''), ...(i === 0 ? thought : {}) })
      }
    }
  }

  #calling(calls: readonly ToolCall[], content: string): Draft {
    const shape = this.#can.calls
    return {
      role: 'assistant',
      content: content === '' ? (shape?.content ?? null) : content,
      tool_calls: calls.map(({ id, name, arguments: given }) => ({
        id: this.#idOf(id),
        type: 'function',
        function: { name, arguments: shape?.arguments === 'text' ? jsonText(given) : given },
      })),
    }
  }

  /** Another one, where the template takes nine letters and digits only. */
  #idOf(id: string): string {
    const known = this.#ids.get(id)
    if (known !== undefined) return known
    let given = id
    for (let i = this.#taken.size; this.#can.shortIds && !(SHORT_ID.test(given) && !this.#taken.has(given)); i++) {
      given = `call${i.toString(36).padStart(5, '0')}`
    }
    this.#ids.set(id, given)
    this.#taken.add(given)
    return given
  }

  #result(id: string, content: string): void {
    const waiting = this.#waiting.get(id)
    if (waiting) {
      this.#drafts.push(waiting)
      this.#waiting.delete(id)
    }
    const name = this.#calls.get(id)?.name
    // A template that knows no calls may print any role's name: the model knows nothing of it.
    const isNative = this.#written.has(id) ? this.#can.looseResults : this.#can.results
    if (isNative && this.#can.calls !== null) {
      this.#drafts.push({ role: 'tool', content, tool_call_id: this.#idOf(id), ...(name !== undefined && { name }) })
      return
    }
    const { begin, end } = this.#format.result
    const opening = begin.replace('ID', () => id).replace('NAME', () => name ?? 'the function')
    this.#drafts.push({ role: 'user', content: `${opening}${content}${end}` })
  }

  /** The first system messages as one, with the tools. */
  #joinSystem(tools: string | null): Draft[] {
    const first = this.#drafts.findIndex(draft => !isSystem(draft))
    const count = first < 0 ? this.#drafts.length : first
    const texts = this.#drafts.slice(0, count).map(({ content }) => content ?? '')
    if (tools !== null) texts.push(tools)
    const rest = this.#drafts.slice(count)
    return texts.length === 0 ? rest : [{ role: 'system', content: texts.join('\n\n') }, ...rest]
  }
}

const SHORT_ID = /^[A-Za-z0-9]{9}$/

const isSystem = ({ role }: Draft) => role === 'system'
const asUser = (draft: Draft): Draft => ({ ...draft, role: 'user' })

/** Messages of one author in a row become one. */
function joinTurns(drafts: readonly Draft[]): Draft[] {
  const joined: Draft[] = []
  for (const draft of drafts) {
    const last = joined.at(-1)
    const plain = last !== undefined && !last.tool_calls && !draft.tool_calls && draft.role !== 'tool'
    if (plain && last.role === draft.role) {
      last.content = [last.content, draft.content].filter(text => text !== '' && text !== null).join('\n\n')
    } else joined.push({ ...draft })
  }
  return joined
}

function inParts(draft: Draft): TemplateMessage {
  return draft.content === null ? draft : { ...draft, content: [{ type: 'text', text: draft.content }] }
}
