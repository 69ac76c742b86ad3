/** Starts or reaches MCP servers. The SDK is loaded only here, when a server is. */
import type { ChatTool } from '../engine/types/options/chat.ts'
import { OptionError } from '../errors.ts'
import { show } from '../options/show.ts'
import { VERSION } from '../version.ts'
import { McpError } from './errors.ts'
import { type McpToolsOptions, mcpTools } from './tools.ts'

/** A server: a command to be started, which speaks over its standard input and output, or an address (streamable HTTP). */
export type McpServer =
  | string
  | {
      /** A program. */
      readonly command: string
      /** Its arguments. Default: none. */
      readonly args?: readonly string[]
      /** Variables beside the few that servers get (PATH, HOME …). Default: none. */
      readonly env?: Readonly<Record<string, string>>
      /** Where it runs. Default: here. */
      readonly cwd?: string
    }
  | {
      /** http or https. */
      readonly url: string
      /** Headers of each request, such as authorization. Default: none. */
      readonly headers?: Readonly<Record<string, string>>
    }

/** Options of `connectMcp`. */
export interface McpOptions extends McpToolsOptions {
  /** Milliseconds until the server has answered and named its tools. Default 30,000. */
  readonly connectTimeout?: number
}

/** A server that is connected. */
export interface McpConnection {
  /** As the server calls itself. */
  readonly name: string
  /** For `ChatOptions.tools`. */
  readonly tools: Readonly<Record<string, ChatTool>>
  /** Ends the connection, and a program that was started. */
  close(): Promise<void>
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

const CONNECT_TIMEOUT = 30_000
/** Characters of a program's last words. */
const LAST_WORDS = 600

/**
 * Connects to a server and lists its tools. A text is an address if it begins with http:// or https://, else a command: words, with
 * quotes around those that have blanks, and `NAME=value` before it for variables; no shell reads it. Needs the package
 * `@modelcontextprotocol/client`. Throws McpError, OptionError.
 */
export async function connectMcp(server: McpServer, options: McpOptions = {}): Promise<McpConnection> {
  const wanted = typeof server === 'string' ? readServer(server) : server
  const shown = 'url' in wanted ? wanted.url : [wanted.command, ...(wanted.args ?? [])].join(' ')
  const { Client, transport, lastWords } = await opened(wanted)
  const client = new Client({ name: 'latentkit', version: VERSION })
  const { connectTimeout = CONNECT_TIMEOUT, ...rest } = options
  try {
    const tools = await within(connectTimeout, async () => {
      await client.connect(transport)
      return mcpTools(client as never, rest)
    })
    const close = () => client.close()
    return { name: client.getServerVersion()?.name ?? shown, tools, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await client.close().catch(() => {})
    const words = lastWords().trim()
    const why = `${(error as Error).message}${words === '' ? '' : `; it wrote: ${words}`}`
    throw new McpError(`The MCP server ${show(shown)} cannot be used: ${why}`, { cause: error })
  }
}

async function opened(server: Exclude<McpServer, string>) {
  const { Client, StreamableHTTPClientTransport, StdioClientTransport, getDefaultEnvironment } = await sdk()
  if ('url' in server) {
    const { headers } = server
    const transport = new StreamableHTTPClientTransport(
      addressOf(server.url),
      headers ? { requestInit: { headers } } : {},
    )
    return { Client, transport, lastWords: () => '' }
  }
  const { command, args = [], env, cwd } = server
  const given = {
    command,
    args: [...args],
    ...(env && { env: { ...getDefaultEnvironment(), ...env } }),
    ...(cwd !== undefined && { cwd }),
  }
  const transport = new StdioClientTransport({ ...given, stderr: 'pipe' })
  let words = ''
  transport.stderr?.on('data', (data: unknown) => {
    words = `${words}${data}`.slice(-LAST_WORDS)
  })
  return { Client, transport, lastWords: () => words }
}

async function sdk() {
  try {
    const [{ Client, StreamableHTTPClientTransport }, { StdioClientTransport, getDefaultEnvironment }] =
      await Promise.all([import('@modelcontextprotocol/client'), import('@modelcontextprotocol/client/stdio')])
    return { Client, StreamableHTTPClientTransport, StdioClientTransport, getDefaultEnvironment }
  } catch (error) {
    throw new McpError(
      'MCP servers need the package @modelcontextprotocol/client; install it beside latentkit: npm install @modelcontextprotocol/client@2.4.0',
      { cause: error },
    )
  }
}

function addressOf(url: string): URL {
  try {
    return new URL(url)
  } catch {
    throw new OptionError(`The MCP server's address is ${show(url)}; expected http://… or https://…`)
  }
}

/** Throws OptionError for a text without a command. */
export function readServer(text: string): Exclude<McpServer, string> {
  if (/^https?:\/\//i.test(text)) return { url: text }
  const words = [...text.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'),
  )
  const first = words.findIndex(word => !/^[A-Za-z_]\w*=/.test(word))
  const [command, ...args] = first < 0 ? [] : words.slice(first)
  if (command === undefined) {
    throw new OptionError(`The MCP server is ${show(text)}; expected a command, or an address that begins with http`)
  }
  const set = words.slice(0, first).map((word): [string, string] => {
    const at = word.indexOf('=')
    return [word.slice(0, at), word.slice(at + 1)]
  })
  return { command, args, ...(set.length > 0 && { env: Object.fromEntries(set) }) }
}

async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not answered within ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}
