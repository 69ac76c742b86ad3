/** Servers for tests: on the bundled model, one compute thread. */

import { createServer, type Server, type ServerOptions } from 'latentkit/server'
import { afterAll } from 'vitest'

/** Without a socket, and ready. Closed when the tests of the file have run. */
export async function testServer(options: ServerOptions = {}): Promise<Server> {
  const server = await createServer({ stopDeadline: 0, ...options, load: { threads: 1, ...options.load } })
  afterAll(() => server.close())
  await server.ready
  return server
}

/** The same on a free port. */
export async function listening(options: ServerOptions = {}): Promise<{ server: Server; url: string }> {
  const server = await testServer({ port: 0, ...options })
  return { server, url: (await server.listen()).url }
}

export async function post(
  { app }: Server,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: never }> {
  const sent = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await app.request(path, { method: 'POST', body: sent, headers })
  return { status: response.status, headers: response.headers, body: (await response.json()) as never }
}

/** Data of the events of a stream, in order; comments are left out. */
export async function events(response: Response): Promise<string[]> {
  const text = await response.text()
  return text
    .split('\n\n')
    .flatMap(event => event.split('\n').filter(line => line.startsWith('data: ')))
    .map(line => line.slice('data: '.length))
}

export const MODEL = 'tales-mla-8m'

/** A tool whose arguments a model without tools writes within 300 tokens, when it must. */
export const WEATHER = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather',
    parameters: {
      type: 'object',
      properties: { city: { enum: ['Bonn', 'Rom'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['city', 'days'],
      additionalProperties: false,
    },
  },
}
