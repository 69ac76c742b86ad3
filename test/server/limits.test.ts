/** Who may ask, and how much. */
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { listening, metric, post, testServer } from './support.ts'

const short = { prompt: 'Once', max_tokens: 1 }

describe('who may ask', async () => {
  const server = await testServer({ apiKeys: ['one', 'two'], allowedHosts: ['stories.lan'] })

  test.each([
    ['no key', {}, 401],
    ['a wrong key', { authorization: 'Bearer three' }, 401],
    ['a part of a key', { authorization: 'Bearer on' }, 401],
    ['a key', { authorization: 'Bearer two' }, 200],
    ["a key in Anthropic's header", { 'x-api-key': 'one' }, 200],
    ['a key beside a wrong one', { authorization: 'Bearer three', 'x-api-key': 'one' }, 200],
    ['two wrong keys', { authorization: 'Bearer three', 'x-api-key': 'four' }, 401],
    ['another Host', { authorization: 'Bearer one', host: 'evil.example:8080' }, 403],
    ['an allowed Host', { authorization: 'Bearer one', host: 'stories.lan:8080' }, 200],
    ['a page of another origin', { authorization: 'Bearer one', origin: 'https://evil.example' }, 403],
  ])('%s', async (_, headers, status) => {
    const answer = await post(server, '/v1/completions', short, headers as Record<string, string>)
    expect(answer.status).toBe(status)
    if (status === 401) expect(answer.body).toMatchObject({ error: { code: 'invalid_api_key' } })
  })

  test('health needs no key', async () => {
    expect((await server.app.request('/health')).status).toBe(200)
  })

  test('prompts of different keys share no cache', async () => {
    const prompt = 'There was a little dog who liked to play. '.repeat(20)
    const cached = async (key: string, more = {}) => {
      const { body } = await post(server, '/v1/completions', { ...short, prompt, ...more }, { 'x-api-key': key })
      return (body as { usage: { prompt_tokens_details: { cached_tokens: number } } }).usage.prompt_tokens_details
        .cached_tokens
    }
    expect(await cached('one')).toBe(0)
    expect(await cached('one')).toBeGreaterThan(100)
    expect(await cached('two')).toBe(0)
    expect(await cached('one', { cache_salt: 'x' })).toBe(0)
    expect(await cached('one', { cache_salt: 'x' })).toBeGreaterThan(100)
  })
})

test('pages of an allowed origin may ask, and are told so', async () => {
  const origin = 'https://good.example'
  const server = await testServer({ corsOrigins: [origin] })
  const asked = (path: string, method: string, headers: Record<string, string>) =>
    Promise.resolve(server.app.request(path, { method, headers }))
  const allowed = async (method: string, from: string) =>
    (await asked('/v1/models', method, { origin: from })).headers.get('access-control-allow-origin')
  expect([await allowed('OPTIONS', origin), await allowed('GET', origin)]).toEqual([origin, origin])
  expect(await allowed('OPTIONS', 'https://evil.example')).toBeNull()
  const page = await asked('/', 'GET', { origin, accept: 'text/html' })
  expect(page.headers.get('vary')).toBe('accept, origin')
  expect(page.headers.get('access-control-expose-headers')).toContain('x-request-id')
})

test('what is not there, is not JSON or is too long is refused in the form of OpenAI', async () => {
  const server = await testServer({ maxBodyBytes: 1000 })
  const refused = async (path: string, body: unknown) => {
    const { status, body: answer } = await post(server, path, body)
    return [status, (answer as { error: { code: string } }).error.code]
  }
  expect(await refused('/v1/nothing', {})).toEqual([404, 'not_found'])
  expect(await refused('/v1/models', {})).toEqual([405, 'method_not_allowed'])
  expect(await refused('/v1/completions', '{')).toEqual([400, 'invalid_json'])
  expect(await refused('/v1/completions', [])).toEqual([400, 'invalid_value'])
  expect(await refused('/v1/completions', { prompt: 'x'.repeat(1000) })).toEqual([413, 'body_too_large'])
})

test('a body is JSON in UTF-8, with a mark of that or without, and not compressed', async () => {
  const server = await testServer()
  const sent = async (body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) => {
    const response = await server.app.request('/v1/completions', { method: 'POST', body, headers })
    return [response.status, ((await response.json()) as { error?: { code: string } }).error?.code]
  }
  const bytes = (text: string) => Uint8Array.from(Buffer.from(text))
  expect(await sent(bytes(`\ufeff${JSON.stringify(short)}`))).toEqual([200, undefined])
  expect(await sent(Uint8Array.from(Buffer.from(JSON.stringify({ prompt: 'ö' }), 'latin1')))).toEqual([
    400,
    'invalid_json',
  ])
  expect(await sent(Uint8Array.from(gzipSync(JSON.stringify(short))), { 'content-encoding': 'gzip' })).toEqual([
    415,
    'unsupported_encoding',
  ])
})

test('where one of several prompts is refused, the others end', async () => {
  const server = await testServer()
  const body = { prompt: ['Once', 'word '.repeat(3000)], max_tokens: 1900, ignore_eos: true }
  for (const stream of [false, true]) {
    expect((await post(server, '/v1/completions', { ...body, stream })).status).toBe(400)
    await expect.poll(() => metric(server, 'num_requests_running'), { timeout: 3000 }).toBe(0)
  }
})

test('a full queue sends away with 429 and a time', async () => {
  const server = await testServer({ maxRunning: 1, maxQueued: 1 })
  const long = { prompt: 'Once', max_tokens: 200 }
  const all = await Promise.all(Array.from({ length: 4 }, () => post(server, '/v1/completions', long)))
  expect(all.map(({ status }) => status).sort()).toEqual([200, 200, 429, 429])
  const busy = all.find(({ status }) => status === 429)
  expect(Number(busy?.headers.get('retry-after'))).toBeGreaterThan(0)
})

describe('what was meant is said', async () => {
  const { server, url } = await listening()

  test('of a path that is nearly one', async () => {
    const { status, body } = await post(server, '/v1/chat/completion', short)
    expect([status, body]).toMatchObject([
      404,
      { error: { message: 'There is no POST /v1/chat/completion here. Did you mean /v1/chat/completions?' } },
    ])
    const bare = await post(server, '/embeddings', short)
    expect(bare.body).toMatchObject({ error: { message: expect.stringContaining('Did you mean /v1/embeddings?') } })
    const other = await post(server, '/nothing/like/it', short)
    expect(other.body).toMatchObject({ error: { message: 'There is no POST /nothing/like/it here.' } })
  })

  test('of a field that is missing', async () => {
    const { status, body } = await post(server, '/v1/chat/completions', { message: [] })
    expect([status, body]).toMatchObject([
      400,
      { error: { message: 'messages is missing; expected array', param: 'messages' } },
    ])
  })

  test('of an address that another program has, or that is none of this machine', async () => {
    const { port } = new URL(url)
    const taken = await testServer({ port: Number(port) })
    await expect(taken.listen()).rejects.toThrow(
      `port is ${port}, on which another program listens at 127.0.0.1; expected a free one (0: any)`,
    )
    const foreign = await testServer({ port: 0, host: '192.0.2.1' })
    await expect(foreign.listen()).rejects.toThrow('host is 192.0.2.1, which is no address of this machine')
  })
})
