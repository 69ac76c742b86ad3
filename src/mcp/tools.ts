/** Tools of an MCP server, as `session.chat` takes them. Needs no package: it is given a client that is connected. */

import type { ChatTool } from '../engine/types/options/chat.ts'
import type { ToolCall } from '../formats/messages.ts'
import { McpError } from './errors.ts'

/** What is used of a client of `@modelcontextprotocol/client`. */
export interface McpClient {
  /** One page of the server's tools. */
  listTools(page?: { cursor?: string }): Promise<{
    /** The tools. */
    readonly tools: readonly {
      /** Its name. */
      readonly name: string
      /** What it does. */
      readonly description?: string | undefined
      /** JSON schema of the arguments, an object. */
      readonly inputSchema?: unknown
    }[]
    /** Of the next page; undefined: this is the last. */
    readonly nextCursor?: string | undefined
  }>
  /** Calls a tool. */
  callTool(
    call: { name: string; arguments: Record<string, unknown> },
    options: { signal?: AbortSignal; timeout?: number },
  ): Promise<unknown>
}

/** Options of `mcpTools`. */
export interface McpToolsOptions {
  /** Put before each name, to tell servers apart. Default: nothing. */
  readonly prefix?: string
  /** Milliseconds that a call may take. Default 60,000. */
  readonly timeout?: number
  /** Whether a call may be made; false: the model is told that the user refused it. Default: all may. */
  readonly allow?: (call: ToolCall) => boolean | Promise<boolean>
}

type Fields = Readonly<Record<string, unknown>>

const MAX_PAGES = 1000
/** Longest name that `session.chat` takes. */
const MAX_LETTERS = 64
const TIMEOUT = 60_000

/**
 * The tools of a server, by name, for `ChatOptions.tools`. Names are cut to what models are given: letters, digits, `_`, `-` and `.`.
 * What a tool reports as an error, a call that takes too long, and a server that has ended become results that begin with
 * `Error:`, so that the model can go on. Of results that are not text (images, audio), the model is told the type and the size.
 */
export async function mcpTools(client: McpClient, options: McpToolsOptions = {}): Promise<Record<string, ChatTool>> {
  const { prefix = '' } = options
  const tools: Record<string, ChatTool> = {}
  for (const { name, description, inputSchema } of await listed(client)) {
    const schema = isFields(inputSchema) ? inputSchema : undefined
    tools[freeName(`${prefix}${name}`, tools)] = {
      ...(description !== undefined && { description }),
      ...(schema && { parameters: schema }),
      execute: (given, { call, signal }) => callTool(client, name, given, call, signal, options),
    }
  }
  return tools
}

async function listed(client: McpClient) {
  const all: Awaited<ReturnType<McpClient['listTools']>>['tools'][number][] = []
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const { tools, nextCursor } = await client.listTools(cursor === undefined ? undefined : { cursor })
    all.push(...tools)
    if (nextCursor === undefined || nextCursor === cursor) return all
    cursor = nextCursor
  }
  throw new McpError(`The MCP server lists its tools on more than ${MAX_PAGES} pages`)
}

/** A name that models are given, and that no other tool has. */
function freeName(name: string, taken: Readonly<Record<string, unknown>>): string {
  const plain = name.replace(/[^\w.-]/g, '_').slice(0, MAX_LETTERS) || '_'
  let free = plain
  for (let n = 2; Object.hasOwn(taken, free); n++) free = `${plain.slice(0, MAX_LETTERS - 5)}_${n}`
  return free
}

async function callTool(
  client: McpClient,
  name: string,
  given: ToolCall['arguments'],
  call: ToolCall,
  signal: AbortSignal,
  { timeout = TIMEOUT, allow }: McpToolsOptions,
): Promise<string> {
  if (allow && !(await allow(call))) throw new Error(`the user did not allow this call of ${call.name}`)
  signal.throwIfAborted()
  let result: unknown
  try {
    result = await client.callTool({ name, arguments: { ...given } }, { signal, timeout })
  } catch (error) {
    signal.throwIfAborted()
    throw new Error(`${call.name} failed: ${reasonOf(error, timeout)}`, { cause: error })
  }
  const text = resultText(result)
  if (isFields(result) && result.isError === true) throw new Error(text === '' ? `${call.name} failed` : text)
  return text
}

function reasonOf(error: unknown, timeout: number): string {
  const { message = String(error), code } = error as { readonly message?: string; readonly code?: unknown }
  if (code === 'REQUEST_TIMEOUT' || code === -32001 || /timed out/i.test(message)) {
    return `it gave no result within ${timeout / 1000} s`
  }
  if (code === 'CONNECTION_CLOSED' || code === -32000 || /closed|not connected/i.test(message)) {
    return 'its server has ended'
  }
  return message
}

/** What the model is given of a result. */
function resultText(result: unknown): string {
  const { content, structuredContent } = isFields(result) ? result : {}
  const parts = Array.isArray(content) ? content.filter(isFields).map(partText) : []
  if (parts.length === 0 && structuredContent !== undefined) return JSON.stringify(structuredContent)
  return parts.join('\n')
}

function partText(part: Fields): string {
  const { type, text, resource, data, mimeType } = part
  if (type === 'text' && typeof text === 'string') return text
  if (type === 'resource_link') return `[resource ${part.uri}${part.name === undefined ? '' : `, ${part.name}`}]`
  if (type === 'resource' && isFields(resource)) {
    if (typeof resource.text === 'string') return resource.text
    return left(`resource ${resource.uri}`, resource.mimeType, resource.blob)
  }
  return left(String(type), mimeType, data)
}

/** Of what is no text: what it is. `data`: base64. */
function left(what: string, mimeType: unknown, data: unknown): string {
  const kind = typeof mimeType === 'string' ? ` of type ${mimeType}` : ''
  const size = typeof data === 'string' ? `, ${Math.floor((data.length * 3) / 4)} bytes` : ''
  return `[${what}${kind}${size}: left out, this model reads text only]`
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
