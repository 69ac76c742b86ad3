/** An MCP server for tests: over standard input and output where it is run, over HTTP by `toolServer`. */
import { McpServer } from '@modelcontextprotocol/server'
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

export function toolServer() {
  const server = new McpServer({ name: 'toolbox', version: '1' })
  const text = value => ({ content: [{ type: 'text', text: value }] })
  server.registerTool(
    'add',
    { description: 'Adds two numbers', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    ({ a, b }) => text(String(a + b)),
  )
  server.registerTool('variable', { inputSchema: z.object({ name: z.string() }) }, ({ name }) =>
    text(process.env[name] ?? 'not set'),
  )
  server.registerTool('slow', {}, () => new Promise(() => {}))
  server.registerTool('fails', {}, () => {
    throw new Error('out of paper')
  })
  server.registerTool('draws', {}, () => ({
    content: [
      { type: 'text', text: 'a dot' },
      { type: 'image', data: Buffer.from('pixels').toString('base64'), mimeType: 'image/png' },
    ],
  }))
  server.registerTool('dies', {}, () => process.exit(3))
  return server
}

if (process.argv[1]?.endsWith('server.mjs')) {
  if (process.argv[2] === '--broken') {
    process.stderr.write('no licence\n')
    process.exit(1)
  }
  await toolServer().connect(new StdioServerTransport())
}
