/** OpenAI's own client against the server. */
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { events, listening, MODEL, post, refusedBy, testServer, WEATHER } from './support.ts'

const { server, url } = await listening()
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 })
const messages = [{ role: 'user' as const, content: 'Once upon a time' }]
const asked = { model: MODEL, messages, max_tokens: 16, seed: 1 }

const refused = (call: Promise<unknown>) => refusedBy(OpenAI.APIError, call)

test('lists its models, and knows each', async () => {
  expect((await client.models.list()).data).toMatchObject([{ id: MODEL, object: 'model', max_model_len: 2048 }])
  expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL })
  expect(await refused(client.models.retrieve('other/one'))).toMatchObject({ status: 404, code: 'model_not_found' })
})

describe('chat.completions', () => {
  test('3: streamed and whole are the same message', async () => {
    const whole = await client.chat.completions.create(asked)
    expect(whole.choices[0]).toMatchObject({ index: 0, finish_reason: 'length', message: { role: 'assistant' } })
    const streamed = await client.chat.completions.stream(asked).finalChatCompletion()
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content)
    expect(streamed.choices[0]?.finish_reason).toBe('length')
  })

  test('chunks come in order: role, content, end, usage, [DONE]', async () => {
    const body = JSON.stringify({ ...asked, stream: true, stream_options: { include_usage: true } })
    const response = await server.app.request('/v1/chat/completions', { method: 'POST', body })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform')
    const all = await events(response)
    expect(all.pop()).toBe('[DONE]')
    const chunks = all.map(data => JSON.parse(data))
    expect(chunks[0].choices).toEqual([
      { index: 0, delta: { role: 'assistant', content: '', refusal: null }, logprobs: null, finish_reason: null },
    ])
    const usage = chunks.pop()
    expect(usage).toMatchObject({ choices: [], usage: { completion_tokens: 16, prompt_tokens: 5, total_tokens: 21 } })
    expect(chunks.at(-1).choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: 'length' }])
    expect(chunks.every(chunk => chunk.usage === null && chunk.id === usage.id)).toBe(true)
  })

  test('20: without include_usage there is no chunk without choices', async () => {
    const chunks = []
    for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) chunks.push(chunk)
    expect(chunks.every(({ choices }) => choices.length === 1)).toBe(true)
    expect(chunks.some(chunk => 'usage' in chunk)).toBe(false)
  })

  test('ends before a text of stop', async () => {
    const { choices } = await client.chat.completions.create({ ...asked, max_tokens: 200, stop: '.' })
    expect(choices[0]).toMatchObject({ finish_reason: 'stop' })
    expect(choices[0]?.message.content).not.toContain('.')
  })

  test('n texts of one prompt have the seeds after the first', async () => {
    const several = await client.chat.completions.create({ ...asked, n: 3 })
    expect(several.choices.map(({ index }) => index)).toEqual([0, 1, 2])
    const third = await client.chat.completions.create({ ...asked, seed: 3 })
    expect(several.choices[2]?.message.content).toBe(third.choices[0]?.message.content)
    expect(several.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 48 })
    const streamed = await client.chat.completions.stream({ ...asked, n: 3 }).finalChatCompletion()
    expect(streamed.choices.map(({ message }) => message.content)).toEqual(
      several.choices.map(({ message }) => message.content),
    )
  })

  test('logprobs have every token with its bytes', async () => {
    const { choices } = await client.chat.completions.create({ ...asked, logprobs: true, top_logprobs: 2 })
    const content = choices[0]?.logprobs?.content ?? []
    expect(content.length).toBe(16)
    const joined = Buffer.from(content.flatMap(({ bytes }) => bytes ?? [])).toString('utf8')
    expect(joined).toBe(choices[0]?.message.content)
    for (const { logprob, top_logprobs: top } of content) {
      expect(top.length).toBe(2)
      expect(logprob).toBeLessThanOrEqual(top[0]?.logprob ?? 0)
    }
  })

  test('a named tool is called, streamed and not, and its result answered', async () => {
    const forced = {
      ...asked,
      max_tokens: 300,
      tools: [WEATHER],
      tool_choice: { type: 'function' as const, function: { name: 'weather' } },
    }
    const { choices } = await client.chat.completions.create(forced)
    expect(choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    const [call] = choices[0]?.message.tool_calls ?? []
    expect(call).toMatchObject({ type: 'function', function: { name: 'weather' } })
    if (call?.type !== 'function') throw new Error('no call')
    const { city } = JSON.parse(call.function.arguments)
    expect(['Bonn', 'Rom']).toContain(city)
    const streamed = await client.chat.completions.stream(forced).finalChatCompletion()
    const [again] = streamed.choices[0]?.message.tool_calls ?? []
    expect(again?.type === 'function' && again.function.arguments).toBe(call.function.arguments)
    const history = [
      ...messages,
      { role: 'assistant' as const, content: null, tool_calls: [call] },
      { role: 'tool' as const, tool_call_id: call.id, content: 'sunny' },
    ]
    const next = await client.chat.completions.create({ ...asked, messages: history, tools: [WEATHER] })
    expect(next.choices[0]?.finish_reason).toBeTruthy()
  })

  test('7: a choice among some of the tools calls one of these', async () => {
    const radar = { ...WEATHER, function: { ...WEATHER.function, name: 'radar' } }
    const choose = (names: readonly string[]) => ({
      type: 'allowed_tools' as const,
      allowed_tools: {
        mode: 'required' as const,
        tools: names.map(name => ({ type: 'function', function: { name } })),
      },
    })
    const all = { ...asked, max_tokens: 300, tools: [WEATHER, radar], parallel_tool_calls: false }
    const { choices } = await client.chat.completions.create({ ...all, tool_choice: choose(['radar']) })
    expect(choices[0]?.message.tool_calls).toMatchObject([{ function: { name: 'radar' } }])
    for (const names of [[], ['none']]) {
      const error = await refused(client.chat.completions.create({ ...all, tool_choice: choose(names) }))
      expect(error).toMatchObject({ status: 400, param: expect.stringContaining('tool_choice') })
    }
  })

  test('4: a call that was cut off comes back in the history', async () => {
    const cut = { id: 'call_1', type: 'function' as const, function: { name: 'weather', arguments: '{' } }
    const history = [...messages, { role: 'assistant' as const, content: null, tool_calls: [cut] }]
    const { choices } = await client.chat.completions.create({ ...asked, messages: history, tools: [WEATHER] })
    expect(choices[0]?.finish_reason).toBeTruthy()
  })

  test('response_format: the answer is JSON by its schema', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer', maximum: 9 } }, required: ['n'] }
    const format = {
      type: 'json_schema' as const,
      json_schema: { name: 'n', schema: { ...schema, additionalProperties: false } },
    }
    const { choices } = await client.chat.completions.create({ ...asked, max_tokens: 100, response_format: format })
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({ n: expect.any(Number) })
  })

  test('stop beside response_format ends the answer where it comes', async () => {
    const schema = { type: 'array', items: { enum: ['one', 'two'] }, minItems: 2, maxItems: 2 }
    const format = { type: 'json_schema' as const, json_schema: { name: 'list', schema } }
    const held = { ...asked, max_tokens: 100, response_format: format }
    const whole = await client.chat.completions.create({ ...held, stop: ['<|im_end|>', 'User:'] })
    expect(JSON.parse(whole.choices[0]?.message.content ?? '')).toHaveLength(2)
    const { choices } = await client.chat.completions.create({ ...held, stop: ',' })
    expect(choices[0]).toMatchObject({ finish_reason: 'stop' })
    expect(choices[0]?.message.content).toBe(whole.choices[0]?.message.content?.split(',')[0])
  })

  test('an abort ends the stream', async () => {
    const stream = await client.chat.completions.create({ ...asked, max_tokens: 2000, stream: true })
    let chunks = 0
    for await (const _ of stream) if (++chunks === 3) stream.controller.abort()
    expect(chunks).toBeLessThan(20)
  })
})

describe('9: reasoning', () => {
  /** Opens reasoning, and shows that of earlier answers. */
  const chatTemplate = `{% for m in messages %}{{ m.content }}{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}
{% endfor %}{% if add_generation_prompt %}<think>{% endif %}`
  const thinking = { ...asked, max_tokens: 30, thinking_token_budget: 9 }

  test('is read from a history under both names', async () => {
    const thinker = await testServer({ load: { chatTemplate } })
    const tokens = async (thoughts: object) => {
      const history = [...messages, { role: 'assistant', content: 'a dog', ...thoughts }, ...messages]
      const { body } = await post(thinker, '/v1/chat/completions', { ...thinking, max_tokens: 1, messages: history })
      return (body as OpenAI.ChatCompletion).usage?.prompt_tokens ?? 0
    }
    const named = await tokens({ reasoning_content: 'I like dogs very much' })
    expect(named).toBeGreaterThan((await tokens({})) + 4)
    expect(await tokens({ reasoning: 'I like dogs very much' })).toBe(named)
  })

  test('is part of the content with reasoning_format none, streamed or not', async () => {
    const thinker = await testServer({ load: { chatTemplate } })
    const ask = async (change: object) => {
      const { body } = await post(thinker, '/v1/chat/completions', { ...thinking, ...change })
      return (body as OpenAI.ChatCompletion).choices[0]?.message as { content: string; reasoning_content?: string }
    }
    const apart = await ask({})
    expect(apart.reasoning_content).toMatch(/[a-z]/)
    const raw = await ask({ reasoning_format: 'none' })
    expect(raw.content).toBe(`<think>${apart.reasoning_content}</think>${apart.content}`)
    expect(raw).not.toHaveProperty('reasoning_content')
    const body = JSON.stringify({ ...thinking, reasoning_format: 'none', stream: true })
    const response = await thinker.app.request('/v1/chat/completions', { method: 'POST', body })
    const chunks = (await events(response)).slice(0, -1).map(data => JSON.parse(data))
    expect(chunks.map(chunk => chunk.choices[0].delta.content ?? '').join('')).toBe(raw.content)
  })
})

describe('completions', () => {
  const text = { model: MODEL, prompt: 'The little dog', max_tokens: 8, seed: 2 }

  test('streamed and whole are the same', async () => {
    const whole = await client.completions.create(text)
    let streamed = ''
    for await (const chunk of await client.completions.create({ ...text, stream: true })) {
      streamed += chunk.choices[0]?.text ?? ''
    }
    expect(streamed).toBe(whole.choices[0]?.text)
    expect(whole.usage).toMatchObject({ completion_tokens: 8 })
  })

  test('several prompts, several texts, echo and logprobs', async () => {
    const prompt = ['The little dog', 'One day']
    const { choices } = await client.completions.create({ ...text, prompt, n: 2, echo: true })
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3])
    expect(choices.map(({ text }) => text.startsWith('One day'))).toEqual([false, false, true, true])
    const [likely] = (await client.completions.create({ ...text, prompt, logprobs: 1 })).choices
    expect(likely?.logprobs?.tokens?.length).toBe(8)
    expect(likely?.logprobs?.tokens?.join('')).toBe(likely?.text)
    expect(await refused(client.completions.create({ ...text, echo: true, logprobs: 1 }))).toMatchObject({
      ...{ status: 400, code: 'unsupported_parameter', param: 'echo' },
    })
  })

  test('ids are read as they are: with the first token of a text, they are that text', async () => {
    const response = await server.app.request('/tokenize', {
      method: 'POST',
      body: JSON.stringify({ content: `<|endoftext|>${text.prompt}` }),
    })
    const { tokens } = (await response.json()) as { tokens: number[] }
    const byIds = await client.completions.create({ ...text, prompt: tokens })
    expect(byIds.choices[0]?.text).toBe((await client.completions.create(text)).choices[0]?.text)
  })
})

test('what clients send beside is let through, and tools that are no functions are named', async () => {
  const beside = {
    ...{ functions: [], modalities: ['text'], best_of: 1, store: false, metadata: { a: 'b' }, service_tier: 'auto' },
    ...{ response_format: { type: 'text' }, stream_options: null, logit_bias: null, stop: null, user: 'x' },
  }
  const tools = [{ type: 'custom', custom: { name: 'shell' } }, { type: 'wéb\n' }, WEATHER]
  for (const stream of [false, true]) {
    const sent = await server.app.request('/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({ ...asked, max_tokens: 1, ...beside, tools, stream }),
    })
    expect([sent.status, sent.headers.get('x-latentkit-ignored')]).toEqual([200, 'custom, w?b?'])
    await sent.text()
  }
})

test("models have the words of Anthropic's client, too", async () => {
  const list = await (await server.app.request('/v1/models')).json()
  expect(list).toMatchObject({ has_more: false, first_id: MODEL, last_id: MODEL })
  expect((list as { data: unknown[] }).data[0]).toMatchObject({ type: 'model', display_name: MODEL })
})

describe('what is wrong is said', () => {
  const cases: [string, Record<string, unknown>, number, string, string | null][] = [
    ['no such model', { model: 'gpt-4' }, 404, 'model_not_found', 'model'],
    ['a number out of range', { top_p: 3 }, 400, 'invalid_value', 'top_p'],
    ['the wrong kind', { messages: 'hello' }, 400, 'invalid_value', 'messages'],
    ['no messages', { messages: [] }, 400, 'invalid_value', 'messages'],
    [
      'a picture',
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      400,
      'unsupported_content',
      'messages[0].content[0]',
    ],
    ['a choice without tools', { tool_choice: 'required' }, 400, 'invalid_value', 'tool_choice'],
    [
      'a choice of no tool',
      { tools: [WEATHER], tool_choice: { type: 'function', function: { name: 'radar' } } },
      ...([400, 'invalid_value', 'tool_choice'] as const),
    ],
    ['one name for two tools', { tools: [WEATHER, WEATHER] }, 400, 'invalid_value', 'tools[1].function.name'],
    ['functions in place of tools', { functions: [WEATHER.function] }, 400, 'unsupported_parameter', 'functions'],
    ['sound', { modalities: ['text', 'audio'] }, 400, 'unsupported_parameter', 'modalities'],
    ['chances of the prompt', { prompt_logprobs: 1 }, 400, 'unsupported_parameter', 'prompt_logprobs'],
    ['the best of more than n', { n: 2, best_of: 3 }, 400, 'unsupported_parameter', 'best_of'],
    [
      'a part without its text',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      ...([400, 'invalid_value', 'messages[0].content[0].text'] as const),
    ],
    [
      'a call in the older form',
      { messages: [messages[0], { role: 'assistant', content: null, function_call: { name: 'x', arguments: '{}' } }] },
      ...([400, 'invalid_value', 'messages[1].function_call'] as const),
    ],
    ['an unknown role', { messages: [{ role: 'critic', content: 'x' }] }, 400, 'invalid_value', 'messages[0].role'],
    [
      'a schema that cannot be held',
      { response_format: { type: 'json_schema', json_schema: { schema: { type: 'string', pattern: '(?=a)b' } } } },
      400,
      'unsupported_schema',
      null,
    ],
    [
      '18: a prompt that does not fit',
      { messages: [{ role: 'user', content: 'word '.repeat(3000) }] },
      400,
      'context_length_exceeded',
      'messages',
    ],
  ]
  test.each(cases)('%s, streamed or not', async (_, change, status, code, param) => {
    for (const stream of [false, true]) {
      const error = await refused(client.chat.completions.create({ ...asked, ...change, stream } as never))
      expect(error).toMatchObject({ status, code, param })
    }
  })

  test('18: an overflow has the words that agents look for, and the numbers', async () => {
    const long = [{ role: 'user' as const, content: 'word '.repeat(3000) }]
    const error = await refused(client.chat.completions.create({ ...asked, messages: long }))
    expect(error.message).toContain("This model's maximum context length is 2048 tokens. However, you requested")
    expect(error.error).toMatchObject({ n_ctx: 2048, n_prompt_tokens: expect.any(Number) })
  })
})
