/** Servers for tests: on the bundled model, one compute thread. */

import { createServer, type Server, type ServerOptions } from 'latentkit/server'
import { afterAll, expect } from 'vitest'

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

/** What a client of an API throws for a call that the server refuses. */
export async function refusedBy<E>(kind: new (...given: never[]) => E, call: Promise<unknown>): Promise<E> {
  const error = await call.then(
    () => null,
    error => error,
  )
  expect(error).toBeInstanceOf(kind)
  return error
}

/** The sum of a metric over its labels. */
export async function metric({ app }: Server, name: string): Promise<number> {
  const text = await (await app.request('/metrics')).text()
  const lines = text.split('\n').filter(line => line.startsWith(`latentkit_${name}`))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const SPIN_MS = 20

/** How much longer work takes here, now, than it would alone on the machine. Engines of this process are to be idle meanwhile. */
export function slowdown(): number {
  const [begun, cpu] = [performance.now(), process.cpuUsage()]
  const spent = () => {
    const { user, system } = process.cpuUsage(cpu)
    return (user + system) / 1000
  }
  while (spent() < SPIN_MS);
  return Math.max(1, (performance.now() - begun) / SPIN_MS)
}

/**
 * The text of a stream whose request has to wait for its turn: until what has come of it is `enough`. Signs of life come each second.
 */
export async function waitingStream(path: string, body: object, enough: (text: string) => boolean): Promise<string> {
  const server = await testServer({ pingInterval: 1, maxRunning: 1 })
  const before = new AbortController()
  const long = server.app.request('/v1/completions', {
    method: 'POST',
    body: JSON.stringify({ prompt: 'Once', max_tokens: 2000, n: 8, ignore_eos: true }),
    signal: before.signal,
  })
  while ((await metric(server, 'num_requests_running')) === 0) await new Promise(resolve => setTimeout(resolve, 10))
  const sent = JSON.stringify({ ...body, stream: true })
  const response = await server.app.request(path, { method: 'POST', body: sent })
  let text = ''
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += new TextDecoder().decode(part)
    if (enough(text)) before.abort()
  }
  await long
  return text
}

/** Events that have names, each with its data. */
export async function namedEvents<T extends { readonly type: string }>(
  response: Response,
): Promise<{ readonly name: string; readonly data: T }[]> {
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  const text = await response.text()
  return text
    .split('\n\n')
    .filter(event => event !== '')
    .map(event => {
      const [name = '', data = ''] = event.split('\n')
      return { name: name.replace('event: ', ''), data: JSON.parse(data.replace('data: ', '')) }
    })
}

/** Data of the events of a stream, in order; comments are left out. */
export async function events(response: Response): Promise<string[]> {
  const text = await response.text()
  return text
    .split('\n\n')
    .flatMap(event => event.split('\n').filter(line => line.startsWith('data: ')))
    .map(line => line.slice('data: '.length))
}

/** A template that opens reasoning, as some families' do. */
export const THINKING = `{% for m in messages %}<{{ m.role }}>{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}
{% endfor %}{% if add_generation_prompt %}<assistant>{% if enable_thinking is not defined or enable_thinking %}<think>{% endif %}{% endif %}`

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
