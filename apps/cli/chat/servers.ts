/** MCP servers of a chat: their tools, each call asked for before it is made. */
import type { ChatTool, ToolCall } from '../../../src/index.ts'
import type { McpConnection } from '../../../src/mcp/index.ts'
import { UsageError } from '../exit.ts'
import type { McpFlags } from '../options/tools.ts'
import * as format from '../output/format.ts'
import { note } from '../output/stdout.ts'
import type { ChatInput } from './input.ts'

/** Who asks the user. */
type Asking = Pick<ChatInput, 'confirm'>

export interface Servers {
  readonly tools: Readonly<Record<string, ChatTool>>
  close(): Promise<void>
}

/** Characters of the arguments that a question shows. */
const SHOWN = 600

/** Starts the servers of `--mcp`. Throws McpError, UsageError. */
export async function startServers({ mcp = [], mcpAllow = [] }: McpFlags, asking: Asking): Promise<Servers> {
  if (mcp.length === 0) {
    if (mcpAllow.length > 0) throw new UsageError('--mcp-allow is for the tools of --mcp')
    return { tools: {}, close: async () => {} }
  }
  const { connectMcp } = await import('../../../src/mcp/index.ts')
  const allowed = new Set(mcpAllow)
  // Calls of one answer are made at once, and asked for one after the other.
  let turn: Promise<unknown> = Promise.resolve()
  const allow = (call: ToolCall) => {
    const answer = turn.then(() => permitted(call, allowed, asking))
    turn = answer.catch(() => {})
    return answer
  }
  const begun = await Promise.allSettled(mcp.map(server => connectMcp(server, { allow })))
  const servers = begun.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  const close = async () => {
    await Promise.allSettled(servers.map(server => server.close()))
  }
  const failed = begun.find(result => result.status === 'rejected')
  const tools = joined(servers)
  const unknown = mcpAllow.find(name => name !== 'all' && !Object.hasOwn(tools, name))
  if (failed || unknown !== undefined) {
    await close()
    if (failed) throw failed.reason
    throw new UsageError(
      `--mcp-allow names ${unknown}, which no server has; they have ${Object.keys(tools).join(', ')}`,
    )
  }
  for (const { name, tools: own } of servers) note(`${name}: ${format.plural(Object.keys(own).length, 'tool')}`)
  return { tools, close }
}

/** Where two servers have a tool of one name, the later one's has its server's name before it. */
function joined(servers: readonly McpConnection[]): Record<string, ChatTool> {
  const all: Record<string, ChatTool> = {}
  for (const { name: server, tools } of servers) {
    for (const [name, tool] of Object.entries(tools)) {
      const long = `${server}_${name}`.replace(/[^\w.-]/g, '_').slice(0, 64)
      const free = [name, long].find(one => !Object.hasOwn(all, one))
      if (free === undefined) throw new UsageError(`two servers have a tool ${long}; leave one of them out`)
      all[free] = tool
    }
  }
  return all
}

async function permitted(call: ToolCall, allowed: Set<string>, asking: Asking): Promise<boolean> {
  if (allowed.has('all') || allowed.has(call.name)) return true
  const given = JSON.stringify(call.arguments)
  const shown = given.length > SHOWN ? `${given.slice(0, SHOWN)}…` : given
  const answer = await asking.confirm(`call ${call.name}(${shown})? [y]es, [n]o, [a]lways this tool: `)
  if (answer === null) {
    note(`${call.name} was not called: nobody can be asked here; --mcp-allow ${call.name} allows it`)
    return false
  }
  const said = answer.trim().toLowerCase()
  if (/^a(lways)?$/.test(said)) allowed.add(call.name)
  return /^(y(es)?|a(lways)?)$/.test(said)
}
