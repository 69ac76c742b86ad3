/** From Anthropic's messages to the engine's. */
import type { ConversationMessage, ToolCall } from '../../../src/index.ts'
import { readArguments, readCallId } from '../answers/tools.ts'
import { type Failure, invalid } from '../failure.ts'
import type { CountBody, WireBlock, WireMessage } from './request.ts'

/** Claude Code puts a line into `system` that is another in each session: with it, nothing of a prompt would be cached. */
const BILLING = /^x-anthropic-billing-header:[^\n]*\n?/

/** What Anthropic's own servers did in another answer: their results are in the text that follows. */
const ELSEWHERE = /^(?:server_tool_use|mcp_tool_use|\w+_tool_result|container_upload)$/

/** Throws Failure naming the block. */
export function readMessages({ system, messages }: Pick<CountBody, 'system' | 'messages'>): ConversationMessage[] {
  const calls = new Set<string>()
  const read = messages.flatMap((message, i) => readMessage(message, `messages[${i}]`, calls))
  const text = system ? readSystem(system) : ''
  return text === '' ? read : [{ role: 'system', content: text }, ...read]
}

function readSystem(system: string | readonly WireBlock[]): string {
  if (typeof system === 'string') return system.replace(BILLING, '')
  const texts = system.map((block, i) => textOf(block, `system[${i}]`).replace(BILLING, ''))
  return texts.filter(text => text !== '').join('\n')
}

/** `seen`: ids of the calls before it, to which its own are added. */
function readMessage({ role, content }: WireMessage, where: string, seen: Set<string>): ConversationMessage[] {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  switch (role) {
    case 'user':
      return readUser(blocks, `${where}.content`, seen)
    case 'assistant':
      return [readAssistant(blocks, `${where}.content`, seen)]
    case 'system':
      return [{ role, content: joined(blocks, `${where}.content`) }]
    default:
      throw invalid(`${where}.role is ${JSON.stringify(role)}; expected user, assistant or system`, `${where}.role`)
  }
}

/** Results come before what the user says: they belong to the calls right before. */
function readUser(blocks: readonly WireBlock[], where: string, seen: ReadonlySet<string>): ConversationMessage[] {
  const results: ConversationMessage[] = []
  const said: string[] = []
  for (const [i, block] of blocks.entries()) {
    const at = `${where}[${i}]`
    if (block.type === 'tool_result') results.push(readResult(block, at, seen))
    else said.push(textOf(block, at))
  }
  const message = { role: 'user', content: said.join('\n') } as const
  return said.length > 0 || results.length === 0 ? [...results, message] : results
}

function readResult(block: WireBlock, where: string, seen: ReadonlySet<string>): ConversationMessage {
  const { content, is_error: isError } = block
  const text = typeof content === 'string' ? content : joined(blocksOf(content, `${where}.content`), `${where}.content`)
  const isTold = isError !== true || /^error/i.test(text)
  const id = readCallId(block.tool_use_id, seen, `${where}.tool_use_id`)
  return { role: 'tool', toolCallId: id, content: isTold ? text : `Error: ${text}` }
}

/** Blocks of one answer are pieces of one text: nothing comes between them. */
function readAssistant(blocks: readonly WireBlock[], where: string, seen: Set<string>): ConversationMessage {
  let content = ''
  let reasoning = ''
  const toolCalls: ToolCall[] = []
  for (const [i, block] of blocks.entries()) {
    const at = `${where}[${i}]`
    if (block.type === 'thinking') reasoning += typeof block.thinking === 'string' ? block.thinking : ''
    else if (block.type === 'tool_use') {
      const call = readCall(block, at)
      seen.add(call.id)
      toolCalls.push(call)
    }
    // Nobody but its server can read it.
    else if (block.type !== 'redacted_thinking' && !ELSEWHERE.test(block.type)) content += textOf(block, at)
  }
  return {
    role: 'assistant',
    content: content === '' && toolCalls.length > 0 ? null : content,
    ...(reasoning !== '' && { reasoning }),
    ...(toolCalls.length > 0 && { toolCalls }),
  }
}

function readCall({ id, name, input }: WireBlock, where: string): ToolCall {
  if (typeof id !== 'string') throw missing(`${where}.id`, 'the id of the call')
  if (typeof name !== 'string') throw missing(`${where}.name`, "the tool's name")
  return { id, name, arguments: readArguments(input) }
}

function blocksOf(content: unknown, where: string): readonly WireBlock[] {
  if (content === null || content === undefined) return []
  const isList = Array.isArray(content) && content.every(one => typeof (one as WireBlock | null)?.type === 'string')
  if (!isList) throw invalid(`${where} is of another kind; expected a text or a list of blocks`, where)
  return content as readonly WireBlock[]
}

function joined(blocks: readonly WireBlock[], where: string): string {
  return blocks.map((block, i) => textOf(block, `${where}[${i}]`)).join('\n')
}

/** A text, or a document or a find that is made of texts. Throws Failure for everything else. */
function textOf({ type, text, source, title, content: found }: WireBlock, where: string): string {
  if (type === 'text') {
    if (typeof text === 'string') return text
    throw missing(`${where}.text`, 'a text')
  }
  if (type === 'search_result') {
    return titled([title, source], joined(blocksOf(found, `${where}.content`), `${where}.content`))
  }
  const { type: kind, data, content } = (source ?? {}) as Readonly<Record<string, unknown>>
  if (type === 'document' && kind === 'text' && typeof data === 'string') return titled([title], data)
  if (type === 'document' && kind === 'content') {
    const at = `${where}.source.content`
    return titled([title], typeof content === 'string' ? content : joined(blocksOf(content, at), at))
  }
  const shown =
    type === 'document' && typeof kind === 'string' ? `"document" of ${JSON.stringify(kind)}` : JSON.stringify(type)
  throw invalid(`${where} is a block of type ${shown}; this server reads text only`, where, 'unsupported_content')
}

function titled(titles: readonly unknown[], text: string): string {
  return [...titles.filter(title => typeof title === 'string'), text].join('\n')
}

function missing(where: string, expected: string): Failure {
  return invalid(`${where} is missing; expected ${expected}`, where)
}
