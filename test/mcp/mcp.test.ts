import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { connectMcp, type McpConnection, McpError, mcpTools } from 'latentkit/mcp'
import { describe, expect, test } from 'vitest'
import { readServer } from '../../src/mcp/connect.ts'
// @ts-expect-error: a program of its own
import { toolServer } from './server.mjs'

const program = fileURLToPath(new URL('server.mjs', import.meta.url))
const command = `"${process.execPath}" "${program}"`

async function run(
  { tools }: McpConnection,
  name: string,
  given: Record<string, unknown> = {},
  signal = new AbortController().signal,
) {
  const call = { id: 'c', name, arguments: given }
  return await tools[name]?.execute?.(given, { call, signal })
}

async function overHttp(use: (url: string) => Promise<void>): Promise<void> {
  const handler = createMcpHandler(() => toolServer())
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const { method = 'GET', url = '/', headers } = request
    const body = parts.length > 0 ? { body: Buffer.concat(parts) } : {}
    const answer = await handler.fetch(
      new Request(`http://localhost${url}`, { method, headers: headers as never, ...body }),
    )
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    if (answer.body) for await (const part of answer.body) response.write(part)
    response.end()
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe('a program', () => {
  test('gives its tools with their schemas, and does their work', async () => {
    await using server = await connectMcp(`TOOLBOX_WORD=blue ${command}`)
    expect(server.name).toBe('toolbox')
    expect(Object.keys(server.tools)).toEqual(['add', 'variable', 'slow', 'fails', 'draws', 'dies'])
    expect(server.tools.add).toMatchObject({
      description: 'Adds two numbers',
      parameters: { type: 'object', properties: { a: { type: 'number' } }, required: ['a', 'b'] },
    })
    expect(await run(server, 'add', { a: 2, b: 3 })).toBe('5')
    expect(await run(server, 'variable', { name: 'TOOLBOX_WORD' })).toBe('blue')
    expect(await run(server, 'draws')).toBe(
      'a dot\n[image of type image/png, 6 bytes: left out, this model reads text only]',
    )
    await expect(run(server, 'fails')).rejects.toThrow('out of paper')
    await expect(run(server, 'add', { a: 'x' })).rejects.toThrow(/number/)
  })

  test('that takes too long, or ends, is an error of the call', async () => {
    await using server = await connectMcp(command, { timeout: 150 })
    await expect(run(server, 'slow')).rejects.toThrow('slow failed: it gave no result within 0.15 s')
    await expect(run(server, 'dies')).rejects.toThrow('dies failed: its server has ended')
    await expect(run(server, 'add', { a: 1, b: 1 })).rejects.toThrow('add failed: its server has ended')
  })

  test('has its secrets to itself: it gets few of our variables', async () => {
    process.env.LATENTKIT_TEST_SECRET = 'x'
    await using server = await connectMcp(command)
    expect(await run(server, 'variable', { name: 'LATENTKIT_TEST_SECRET' })).toBe('not set')
    delete process.env.LATENTKIT_TEST_SECRET
  })

  test('that is none is an McpError, with what it wrote', async () => {
    await expect(connectMcp(`${command} --broken`)).rejects.toMatchObject({
      code: 'bad_server',
      message: expect.stringMatching(/no licence/),
    })
    await expect(connectMcp('no-such-program-7')).rejects.toThrow('The MCP server "no-such-program-7" cannot be used')
    const silent = `"${process.execPath}" -e "setInterval(() => {}, 1000)"`
    await expect(connectMcp(silent, { connectTimeout: 300 })).rejects.toThrow('it has not answered within 0.3 s')
  })

  test('is not called if the user does not allow it, and not after an abort', async () => {
    const asked: string[] = []
    const allow = ({ name }: { name: string }) => {
      asked.push(name)
      return name === 'add'
    }
    await using server = await connectMcp(command, { allow, prefix: 'box.' })
    await expect(run(server, 'box.variable', { name: 'x' })).rejects.toThrow(
      'the user did not allow this call of box.variable',
    )
    expect(asked).toEqual(['box.variable'])
    await using other = await connectMcp(command)
    await expect(run(other, 'add', { a: 1, b: 2 }, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    const later = new AbortController()
    const slow = run(other, 'slow', {}, later.signal)
    later.abort(new Error('enough'))
    await expect(slow).rejects.toThrow('enough')
  })
})

test('an address is reached over HTTP', async () => {
  await overHttp(async url => {
    await using server = await connectMcp(url)
    expect(Object.keys(server.tools)).toContain('add')
    expect(await run(server, 'add', { a: 20, b: 22 })).toBe('42')
    await expect(run(server, 'fails')).rejects.toThrow('out of paper')
  })
  await expect(connectMcp('http://127.0.0.1:9/mcp')).rejects.toMatchObject({ code: 'bad_server' })
})

test('pages, names that are none, and what a result holds', async () => {
  const results: Record<string, unknown> = {
    'a b': { content: [{ type: 'resource', resource: { uri: 'file:///a', text: 'hello' } }] },
    a_b: { content: [], structuredContent: { sky: 'blue' } },
    [`${'long'.repeat(30)}`]: { content: [{ type: 'resource_link', uri: 'file:///b', name: 'b' }] },
  }
  const pages = Object.keys(results).map(name => [{ name }])
  const client = {
    listTools: async ({ cursor = '0' } = {}) => {
      const next = Number(cursor) + 1
      return { tools: pages[next - 1] ?? [], nextCursor: next < pages.length ? String(next) : undefined }
    },
    callTool: async ({ name }: { name: string }) => results[name],
  }
  const tools = await mcpTools(client)
  expect(Object.keys(tools)).toEqual(['a_b', 'a_b_2', 'long'.repeat(16)])
  const server = { name: 'x', tools, close: async () => {}, [Symbol.asyncDispose]: async () => {} }
  expect(await run(server, 'a_b')).toBe('hello')
  expect(await run(server, 'a_b_2')).toBe('{"sky":"blue"}')
  expect(await run(server, 'long'.repeat(16))).toBe('[resource file:///b, b]')
})

test('a server that goes on listing its tools is an McpError', async () => {
  let page = 0
  const client = { listTools: async () => ({ tools: [], nextCursor: `${page++}` }), callTool: async () => null }
  await expect(mcpTools(client)).rejects.toThrow(McpError)
})

test('a command is read as words, without a shell', () => {
  expect(readServer(`npx -y "my server" 'it is' a"b c"d`)).toEqual({
    command: 'npx',
    args: ['-y', 'my server', 'it is', 'ab cd'],
  })
  expect(readServer('A=1 B="x y" run')).toEqual({ command: 'run', args: [], env: { A: '1', B: 'x y' } })
  expect(readServer('HTTPS://host/x')).toEqual({ url: 'HTTPS://host/x' })
  expect(() => readServer('A=1')).toThrow('expected a command')
})
