/** Whatever is sent, the server answers or refuses, in the words of the API that is spoken; it never fails. */
import { describe, expect, test } from 'vitest'
import { Rng } from '../support/rng.ts'
import { hostileBody, type Schema } from './hostile-bodies.ts'
import { MODEL, testServer } from './support.ts'

interface Operation {
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } }
}

/** Bodies of each endpoint. LATENTKIT_HOSTILE: more of them, LATENTKIT_HOSTILE_SEED: others. */
const BODIES = Number(process.env.LATENTKIT_HOSTILE ?? 25)
const SEED = process.env.LATENTKIT_HOSTILE_SEED ?? '18'
/** Of an answer that goes on: its client leaves. */
const LEAVES_MS = 300

const lines: string[] = []
const server = await testServer({ log: line => lines.push(line) })
const { paths } = (await (await server.app.request('/openapi.json')).json()) as {
  paths: Record<string, Record<string, Operation>>
}
const posts = Object.entries(paths).flatMap(([path, { post }]) => (post ? [{ path, post }] : []))

async function send(path: string, init: RequestInit): Promise<{ status: number; text: string }> {
  const leaves = new AbortController()
  const timer = setTimeout(() => leaves.abort(), LEAVES_MS)
  const response = await server.app.request(path, { ...init, signal: leaves.signal })
  const text = await response.text()
  clearTimeout(timer)
  return { status: response.status, text }
}

/** The form of an error in the API that a path belongs to. */
function form(path: string): unknown {
  const said = expect.stringMatching(/\S/)
  if (/^\/v1\/messages\b/.test(path)) return { type: 'error', error: { type: said, message: said } }
  if (path.startsWith('/api/')) return { error: said }
  return { error: { type: said, message: said, code: said } }
}

function check(path: string, { status, text }: { status: number; text: string }, sent: string): void {
  const about = `${path} ${sent.length > 2000 ? `${sent.slice(0, 2000)}…` : sent}\n${lines.at(-1)?.slice(0, 3000)}`
  expect(status === 501 || status < 500, `${status} ${about}`).toBe(true)
  // An event of a stream says it after the status.
  expect(text, about).not.toMatch(/"(engine_error|invalid_output)"/)
  if (status >= 400) expect(JSON.parse(text), about).toMatchObject(form(path) as object)
}

describe('hostile bodies', () => {
  test.each(posts)('$path', { timeout: 30_000 + BODIES * 500 }, async ({ path, post }) => {
    const rng = new Rng(SEED + path)
    const schema = post.requestBody?.content['application/json'].schema ?? { type: 'object' }
    for (let i = 0; i < BODIES; i++) {
      const body = hostileBody(rng, schema)
      check(path, await send(path, { method: 'POST', body }), body)
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

test('wrong methods and unknown paths are refused in the form of the API', async () => {
  const known = [...Object.keys(paths), '/v1/messages/nothing', '/api/nothing', '/v1/nothing', '/v1/responses/%00']
  const odd = [
    '/v1/models/%E0%A4%A',
    '/%2e%2e/%2e%2e/etc/passwd',
    '//',
    '/v1//chat',
    '/v1/chat/completions/',
    `/${'x'.repeat(9000)}`,
  ]
  for (const path of [...known, ...odd]) {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'POST', 'BREW']) {
      const body = method === 'GET' ? {} : { body: '[]' }
      const answer = await send(path, { method, ...body })
      if (answer.status < 400) expect(method, path).toMatch(/GET|POST/)
      check(path, answer, method)
    }
  }
})

test.each([
  ['more levels than are read', '/apply-template', `{"messages": ${'['.repeat(300)}${']'.repeat(300)}}`, '256 deep'],
  [
    'a length that is no number',
    '/rerank',
    '{"query": "", "documents": {"length": {"toString": 1}}}',
    'where a list is expected',
  ],
  ['a stop that looks like a list', '/completion', '{"prompt": "x", "stop": {"filter": 1}}', 'stop'],
])('%s is refused', async (_, path, body, said) => {
  const answer = await send(path, { method: 'POST', body })
  expect(answer.status).toBe(400)
  expect(answer.text).toContain(said)
})

test('a model that is kept for longer than timers can wait stays', async () => {
  const body = JSON.stringify({ model: MODEL, keep_alive: '10000h' })
  expect((await send('/api/generate', { method: 'POST', body })).status).toBe(200)
  await new Promise(resolve => setTimeout(resolve, 50))
  expect(JSON.parse((await send('/api/ps', {})).text)).toMatchObject({ models: [{ name: MODEL }] })
})

test('it still answers', async () => {
  const { status, text } = await send('/v1/completions', {
    method: 'POST',
    body: JSON.stringify({ prompt: 'Once upon a time', max_tokens: 5, temperature: 0 }),
  })
  expect(status).toBe(200)
  expect(text).toContain('"finish_reason":"length"')
})
