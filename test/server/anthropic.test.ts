/** Anthropic's own client against the server. */
import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, test } from 'vitest'
import {
  listening,
  MODEL,
  namedEvents,
  post,
  refusedBy,
  THINKING,
  testServer,
  WEATHER,
  waitingStream,
} from './support.ts'

const { server, url } = await listening()
const client = new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'Once upon a time' }]
// `seed` is no word of Anthropic's; fields of the others work here too.
const asked = { model: MODEL, messages, max_tokens: 16, seed: 1 } as const
const weather = { name: 'weather', description: 'The weather', input_schema: WEATHER.function.parameters as never }
const forced = {
  ...asked,
  max_tokens: 300,
  tools: [weather],
  tool_choice: { type: 'tool' as const, name: 'weather' },
}

interface Event {
  readonly type: string
  readonly [field: string]: unknown
}

async function streamed(body: object, from = server) {
  const sent = JSON.stringify({ ...body, stream: true })
  return namedEvents<Event>(await from.app.request('/v1/messages', { method: 'POST', body: sent }))
}

const refused = (call: Promise<unknown>) => refusedBy(Anthropic.APIError, call)

test('3: streamed and whole are the same message', async () => {
  const whole = await client.messages.create(asked)
  expect(whole).toMatchObject({
    ...{ type: 'message', role: 'assistant', model: MODEL, content: [{ type: 'text' }] },
    ...{ stop_reason: 'max_tokens', stop_sequence: null, usage: { input_tokens: 5, output_tokens: 16 } },
  })
  const again = await client.messages.stream(asked).finalMessage()
  expect(again.content).toEqual(whole.content)
  expect(again.stop_reason).toBe('max_tokens')
  const { input_tokens: read, cache_read_input_tokens: cached, output_tokens: written } = again.usage
  expect([read + (cached ?? 0), written]).toEqual([5, 16])
})

test('events come in order, each with its name', async () => {
  const all = await streamed(asked)
  for (const { name, data } of all) expect(name).toBe(data.type)
  const deltas = all.filter(({ name }) => name === 'content_block_delta').length
  expect(all.map(({ name }) => name)).toEqual([
    ...['message_start', 'ping', 'content_block_start'],
    ...Array.from({ length: deltas }, () => 'content_block_delta'),
    ...['content_block_stop', 'message_delta', 'message_stop'],
  ])
  expect(all[0]?.data.message).toMatchObject({
    ...{ content: [], stop_reason: null, stop_sequence: null },
    // Known before the prompt is read.
    usage: { input_tokens: 5, output_tokens: 0 },
  })
})

test('an answer ends before a stop sequence, and names it', async () => {
  const whole = await client.messages.create({ ...asked, max_tokens: 200, stop_sequences: ['never there', '.'] })
  expect(whole).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: '.' })
  expect(JSON.stringify(whole.content)).not.toContain('.')
  const again = await client.messages
    .stream({ ...asked, max_tokens: 200, stop_sequences: ['never there', '.'] })
    .finalMessage()
  expect(again).toMatchObject({ content: whole.content, stop_reason: 'stop_sequence', stop_sequence: '.' })
})

describe('tools', () => {
  test('1, 7: the named one is called, streamed and not; its result comes back', async () => {
    const whole = await client.messages.create(forced)
    expect(whole).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'weather' }] })
    const [call] = whole.content
    if (call?.type !== 'tool_use') throw new Error('no call')
    expect(call.input).toMatchObject({ city: expect.stringMatching(/Bonn|Rom/), days: expect.any(Number) })
    const again = await client.messages.stream(forced).finalMessage()
    // Each call has an id of its own.
    expect(again.content).toEqual([{ ...call, id: expect.stringMatching(/^(?!.*[^\w-])/) }])
    expect(again.content).not.toEqual(whole.content)
    expect(again.stop_reason).toBe('tool_use')
    const turns = (result: object) => [
      ...messages,
      { role: 'assistant' as const, content: whole.content },
      {
        role: 'user' as const,
        content: [
          { type: 'tool_result' as const, tool_use_id: call.id, ...result },
          { type: 'text' as const, text: 'And tomorrow?' },
        ],
      },
    ]
    const tokens = async (result: object) => {
      const counted = await client.messages.countTokens({ model: MODEL, tools: [weather], messages: turns(result) })
      return counted.input_tokens
    }
    const none = await tokens({})
    expect(await tokens({ content: 'sunny' })).toBeGreaterThan(none)
    expect(await tokens({ content: [{ type: 'text', text: 'sunny' }] })).toBe(await tokens({ content: 'sunny' }))
    expect(await tokens({ is_error: true })).toBe(await tokens({ content: 'Error: ' }))
    const next = await client.messages.create({ ...asked, tools: [weather], messages: turns({ content: 'sunny' }) })
    expect(next.stop_reason).toBeTruthy()
  })

  test('6, 7: any, none, and one call where only one may be', async () => {
    const free = { ...forced, tool_choice: { type: 'any' as const, disable_parallel_tool_use: true } }
    const { content, stop_reason: reason } = await client.messages.create(free)
    expect([content.map(({ type }) => type), reason]).toEqual([['tool_use'], 'tool_use'])
    const none = await client.messages.create({ ...forced, max_tokens: 20, tool_choice: { type: 'none' } })
    expect(none.content.map(({ type }) => type)).toEqual(['text'])
  })

  test('those of Anthropic’s own are left out, and that is said', async () => {
    const tools = [{ type: 'web_search_20250305', name: 'web_search' }, weather]
    const answer = await post(server, '/v1/messages', { ...asked, tools })
    expect([answer.status, answer.headers.get('x-latentkit-ignored')]).toEqual([200, 'web_search_20250305'])
    const done = [
      { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
      { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
      { type: 'text', text: 'I found it.' },
    ]
    const before = [{ role: 'user', content: 'Find' }]
    const count = async (content: unknown) =>
      (await post(server, '/v1/messages/count_tokens', { messages: [...before, { role: 'assistant', content }] })).body
    expect(await count(done)).toEqual(await count('I found it.'))
    const away = await post(server, '/v1/messages', { ...asked, mcp_servers: [{ type: 'url', url: 'x', name: 'x' }] })
    expect([away.status, away.body]).toMatchObject([400, { error: { param: 'mcp_servers' } }])
  })
})

test('structured output, in its newer and its older place', async () => {
  const schema = {
    type: 'object' as const,
    properties: { n: { type: 'integer', maximum: 9, minimum: 0 } },
    required: ['n'],
    additionalProperties: false,
  }
  const format = { type: 'json_schema' as const, schema }
  for (const place of [{ output_config: { format } }, { output_format: format }]) {
    const body = { ...asked, max_tokens: 60, ...place }
    const whole = await client.messages.create(body as never)
    const text = (whole as unknown as { content: { text: string }[] }).content[0]?.text ?? ''
    expect(JSON.parse(text)).toEqual({ n: expect.any(Number) })
    const again = await client.messages.stream(body as never).finalMessage()
    expect(again.content).toMatchObject([{ type: 'text', text }])
  }
})

test('reasoning is a block of its own, signed, and comes back', async () => {
  const thinker = await testServer({ load: { chatTemplate: THINKING } })
  const budget = { ...asked, max_tokens: 40, thinking: { type: 'enabled', budget_tokens: 9 } }
  const { body } = await post(thinker, '/v1/messages', budget)
  const { content } = body as { content: { type: string; thinking?: string; signature?: string }[] }
  expect(content.map(({ type }) => type)).toEqual(['thinking', 'text'])
  expect(content[0]).toMatchObject({ thinking: expect.stringMatching(/./), signature: expect.stringMatching(/./) })
  const all = await streamed(budget, thinker)
  const deltas = all.flatMap(({ data }) => (data.type === 'content_block_delta' ? [data.delta as never] : []))
  const kinds = [...new Set(deltas.map(({ type }: { type: string }) => type))]
  expect(kinds).toEqual(['thinking_delta', 'signature_delta', 'text_delta'])
  const thought = deltas.map(({ thinking = '' }: { thinking?: string }) => thinking).join('')
  expect(thought).toBe(content[0]?.thinking)
  const direct = await post(thinker, '/v1/messages', { ...asked, thinking: { type: 'disabled' } })
  expect((direct.body as { content: { type: string }[] }).content.map(({ type }) => type)).toEqual(['text'])
  const history = [...messages, { role: 'assistant', content }, { role: 'user', content: 'Go on' }]
  const next = await post(thinker, '/v1/messages', { ...asked, messages: history })
  expect(next.status).toBe(200)
})

test('a budget for thinking is no error for a model that marks none', async () => {
  const { status } = await post(server, '/v1/messages', {
    ...asked,
    thinking: { type: 'enabled', budget_tokens: 1024 },
  })
  expect(status).toBe(200)
})

test('an answer that the client has begun is continued', async () => {
  const chatTemplate = '{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}'
  const plain = await testServer({ load: { chatTemplate } })
  const begun = [...messages, { role: 'assistant', content: ', there was a little dog' }]
  const continued = await post(plain, '/v1/messages', { ...asked, messages: begun })
  const prompt = 'Once upon a time, there was a little dog'
  const { body } = await post(plain, '/v1/completions', { prompt, max_tokens: 16, seed: 1 })
  const [choice] = (body as { choices: { text: string }[] }).choices
  expect(continued.body).toMatchObject({ content: [{ type: 'text', text: choice?.text }] })
})

describe('23: count_tokens', () => {
  const long = {
    model: MODEL,
    system: [{ type: 'text' as const, text: 'You tell stories.' }],
    messages: [{ role: 'user' as const, content: 'Tell one of a dog and a cat who went to the sea.' }],
    tools: [weather],
  }

  test('is what the same body takes, with any query and version', async () => {
    const { input_tokens: counted } = await client.messages.countTokens(long)
    const { usage } = await client.messages.create({ ...long, max_tokens: 1 })
    expect(usage.input_tokens + (usage.cache_read_input_tokens ?? 0)).toBe(counted)
    expect(counted).toBeGreaterThan(100)
    const versioned = { 'anthropic-version': '2099-01-01', 'anthropic-beta': 'whatever' }
    const answer = await post(server, '/v1/messages/count_tokens?beta=true', long, versioned)
    expect([answer.status, answer.body]).toEqual([200, { input_tokens: counted }])
  })

  test('16: the line of Claude Code that changes is not part of the prompt', async () => {
    const billing = (cch: string) => `x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli; cch=${cch};`
    const plain = await client.messages.countTokens(long)
    const system = (cch: string) => [{ type: 'text' as const, text: billing(cch) }, ...long.system]
    expect(await client.messages.countTokens({ ...long, system: system('aaaa') })).toEqual(plain)
    const text = `${billing('b1')}\n${long.system[0]?.text}`
    expect(await client.messages.countTokens({ ...long, system: text })).toEqual(plain)
    const body = {
      ...long,
      max_tokens: 1,
      messages: [{ role: 'user' as const, content: `${'A dog ran. '.repeat(60)}` }],
    }
    await client.messages.create({ ...body, system: system('c2') })
    const { usage } = await client.messages.create({ ...body, system: system('d3') })
    expect(usage.cache_read_input_tokens ?? 0).toBeGreaterThan(10 * usage.input_tokens)
  })
})

describe('what is wrong is said in the form of Anthropic', () => {
  const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: '' } }
  const cases: [string, Record<string, unknown>, number, string, RegExp][] = [
    ['no such model', { model: 'claude-9' }, 404, 'not_found_error', /claude-9/],
    ['a number out of range', { top_p: 3 }, 400, 'invalid_request_error', /top_p/],
    ['the wrong kind', { messages: 'hello' }, 400, 'invalid_request_error', /messages/],
    [
      'a picture',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }, picture] }] },
      ...([400, 'invalid_request_error', /messages\[0\]\.content\[1\] is a block of type "image"/] as const),
    ],
    [
      'a picture in a result',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x', content: [picture] }] }] },
      ...([400, 'invalid_request_error', /messages\[0\]\.content\[0\]\.content\[0\] .* "image"/] as const),
    ],
    [
      'a file',
      { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'base64' } }] }] },
      ...([400, 'invalid_request_error', /"document" of "base64"/] as const),
    ],
    [
      'an unknown role',
      { messages: [{ role: 'critic', content: 'x' }] },
      ...([400, 'invalid_request_error', /messages\[0\]\.role/] as const),
    ],
    [
      'a choice of a tool that is not there',
      { tools: [weather], tool_choice: { type: 'tool', name: 'radar' } },
      ...([400, 'invalid_request_error', /radar/] as const),
    ],
    ['a choice without tools', { tool_choice: { type: 'any' } }, 400, 'invalid_request_error', /there are no tools/],
    [
      '12: a tool whose schema cannot be held',
      {
        tools: [{ ...weather, input_schema: { type: 'object', properties: { a: { $ref: 'https://elsewhere/x' } } } }],
        tool_choice: { type: 'any' },
      },
      ...([400, 'invalid_request_error', /\$ref/] as const),
    ],
    [
      '18: a prompt that does not fit, in the words that Claude Code reads',
      { messages: [{ role: 'user', content: 'word '.repeat(3000) }] },
      ...([400, 'invalid_request_error', /prompt is too long: \d+ tokens > 2048 maximum/] as const),
    ],
  ]
  test.each(cases)('%s, streamed or not', async (_, change, status, type, message) => {
    for (const stream of [false, true]) {
      const error = await refused(client.messages.create({ ...asked, ...change, stream } as never))
      expect(error.status).toBe(status)
      expect(error.error).toMatchObject({ type: 'error', error: { type, message: expect.stringMatching(message) } })
    }
  })

  test('a path that is not there, a key that is missing, both kinds of header', async () => {
    const { status, body } = await post(server, '/v1/messages/batches', {})
    expect([status, body]).toMatchObject([404, { type: 'error', error: { type: 'not_found_error' } }])
    const locked = await testServer({ apiKeys: ['secret'] })
    const without = await post(locked, '/v1/messages', asked)
    expect([without.status, without.body]).toMatchObject([
      401,
      { type: 'error', error: { type: 'authentication_error' } },
    ])
    for (const headers of [{ 'x-api-key': 'secret' }, { authorization: 'Bearer secret' }]) {
      const { status } = await post(locked, '/v1/messages', { ...asked, max_tokens: 1 }, headers as never)
      expect(status).toBe(200)
    }
  })
})

test('17: signs of life are events, also while the request waits for its turn', async () => {
  const text = await waitingStream('/v1/messages', { ...asked, max_tokens: 2 }, come => come.startsWith('event: ping'))
  const names = [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name)
  expect(names[0]).toBe('ping')
  expect(names.filter(name => name !== 'ping')[0]).toBe('message_start')
  expect(names.at(-1)).toBe('message_stop')
})

test('an abort ends the stream', async () => {
  const stream = client.messages.stream({ ...asked, max_tokens: 2000 })
  let seen = 0
  stream.on('text', () => {
    if (++seen === 3) stream.abort()
  })
  await expect(stream.finalMessage()).rejects.toThrow(/abort/i)
  expect(seen).toBeLessThan(20)
})
