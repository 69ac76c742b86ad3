import { type ChatResponse, Ollama } from 'ollama'
import { beforeAll, describe, expect, it } from 'vitest'
import { listening, MODEL, post, THINKING, testServer, WEATHER } from './support.ts'

const said = [{ role: 'user', content: 'Once upon a time there was a' }]
const options = { temperature: 0, num_predict: 24 }

describe('the real client', () => {
  let client: Ollama
  beforeAll(async () => {
    client = new Ollama({ host: (await listening()).url })
  })

  async function streamed(request: object): Promise<ChatResponse[]> {
    const lines: ChatResponse[] = []
    const answer = await client.chat({ model: MODEL, messages: said, options, ...request, stream: true })
    for await (const line of answer) lines.push(line)
    return lines
  }

  it('streams the text that it gets at once', async () => {
    const whole = await client.chat({ model: MODEL, messages: said, options })
    const lines = await streamed({})
    expect(lines.map(({ message }) => message.content).join('')).toBe(whole.message.content)
    expect(whole.message.content.length).toBeGreaterThan(20)
    expect(whole).toMatchObject({ model: MODEL, done: true, done_reason: 'length', eval_count: 24 })
    const last = lines.at(-1) as ChatResponse
    expect(last).toMatchObject({ done: true, done_reason: 'length', eval_count: 24 })
    expect(last.prompt_eval_count).toBe(whole.prompt_eval_count)
    for (const duration of [last.total_duration, last.eval_duration, last.prompt_eval_duration]) {
      expect(Number.isInteger(duration)).toBe(true)
    }
    expect(last.total_duration).toBeGreaterThanOrEqual(last.eval_duration)
    expect(lines.slice(0, -1).every(({ done }) => !done)).toBe(true)
    expect(lines.length).toBeGreaterThan(5)
  })

  it('holds an answer to a schema, and to JSON', async () => {
    const format = {
      type: 'object',
      properties: { age: { enum: [3, 4] } },
      required: ['age'],
      additionalProperties: false,
    }
    const request = { model: MODEL, messages: said, options: { num_predict: 200, seed: 1 } }
    const held = await client.chat({ ...request, format })
    expect([{ age: 3 }, { age: 4 }]).toContainEqual(JSON.parse(held.message.content))
    const raw = await client.generate({ ...request, prompt: 'x', format, raw: true })
    expect([{ age: 3 }, { age: 4 }]).toContainEqual(JSON.parse(raw.response ?? ''))
  })

  it('continues a raw text as the template-free chat does', async () => {
    const request = { model: MODEL, prompt: 'Once upon a time there was a', options }
    const raw = await client.generate({ ...request, raw: true })
    expect(raw).toMatchObject({ done: true, done_reason: 'length', eval_count: 24 })
    let text = ''
    for await (const line of await client.generate({ ...request, raw: true, stream: true })) text += line.response
    expect(text).toBe(raw.response)
    expect((await client.generate(request)).response).toBe(
      (await client.chat({ model: MODEL, messages: said, options })).message.content,
    )
  })

  it('ends before a stop text', async () => {
    const free = (await client.chat({ model: MODEL, messages: said, options })).message.content
    const stop = free.trim().split(' ')[3] ?? ''
    const cut = await client.chat({ model: MODEL, messages: said, options: { ...options, stop: [stop] } })
    expect(cut.message.content).toBe(free.slice(0, free.indexOf(stop)))
    expect(cut.done_reason).toBe('stop')
  })

  it('gives log-probabilities that stream as they come at once', async () => {
    const request = { logprobs: true, top_logprobs: 2 }
    const whole = await client.chat({ model: MODEL, messages: said, options, ...request })
    expect(whole.logprobs).toHaveLength(24)
    expect(whole.logprobs?.[0]?.top_logprobs).toHaveLength(2)
    const lines = await streamed(request)
    expect(lines.flatMap(({ logprobs = [] }) => logprobs)).toEqual(whole.logprobs)
  })

  it('makes vectors, in order', async () => {
    const both = await client.embed({ model: MODEL, input: ['a cat', 'a dog'] })
    const one = await client.embed({ model: MODEL, input: 'a dog' })
    expect(both.embeddings).toHaveLength(2)
    expect(both.embeddings[1]).toEqual(one.embeddings[0])
    expect(both.prompt_eval_count).toBeGreaterThan(one.prompt_eval_count)
    const old = await client.embeddings({ model: MODEL, prompt: 'a dog' })
    expect(old.embedding).toEqual(one.embeddings[0])
  })

  it('lists and shows models', async () => {
    const { models } = await client.list()
    expect(models.map(({ name }) => name)).toEqual([MODEL])
    expect(models[0]?.size).toBeGreaterThan(1e6)
    const shown = await client.show({ model: `${MODEL}:latest` })
    expect(shown.capabilities).toEqual(['completion', 'tools', 'embedding'])
    expect(Object.keys(shown.model_info)).toContain(`${shown.details.family}.context_length`)
    expect((await client.ps()).models.map(({ name }) => name)).toEqual([MODEL])
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it('says in one sentence what is wrong', async () => {
    await expect(client.show({ model: 'other' })).rejects.toThrow(/"other" is not here; this server has tales/)
    await expect(client.pull({ model: 'x' })).rejects.toThrow(/latentkit pull/)
    await expect(client.chat({ model: MODEL, messages: [{ role: 'robot', content: 'x' }] })).rejects.toThrow(
      /messages\[0\]\.role is "robot"/,
    )
    await expect(client.chat({ model: MODEL, messages: said, format: 'yaml' })).rejects.toThrow(/format is "yaml"/)
    await expect(
      client.chat({ model: MODEL, messages: [{ role: 'user', content: 'x', images: ['aGk='] }] }),
    ).rejects.toThrow(/messages\[0\]\.images has 1; this server reads text only/)
    const long = [{ role: 'user', content: 'once upon a time '.repeat(3000) }]
    await expect(client.chat({ model: MODEL, messages: long })).rejects.toThrow(/maximum context length is \d+ tokens/)
  })

  it('ends when the client aborts', async () => {
    const answer = await client.chat({ model: MODEL, messages: said, options: { num_predict: -1 }, stream: true })
    const read = async () => {
      for await (const _ of answer) answer.abort()
    }
    await expect(read()).rejects.toThrow(/abort/i)
  })
})

describe('bodies', () => {
  let server: Awaited<ReturnType<typeof testServer>>
  beforeAll(async () => {
    server = await testServer()
  })

  const chat = async (body: object) => {
    const answer = await post(server, '/api/chat', { model: MODEL, messages: said, stream: false, options, ...body })
    return answer as { status: number; body: Record<string, unknown> & { message: Record<string, unknown> } }
  }

  it('pairs results of tools with calls that have no ids', async () => {
    const call = (name: string) => ({ function: { name, arguments: { city: 'Bonn' } } })
    const tool = (name: string) => ({ role: 'tool', tool_name: name, content: '7' })
    const begun = [...said, { role: 'assistant', content: '', tool_calls: [call('a'), call('b')] }]
    expect((await chat({ messages: [...begun, tool('b'), tool('a')] })).status).toBe(200)
    const wrong = await chat({ messages: [...begun, tool('c')] })
    expect(wrong).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/messages\[2\].*no earlier call of "c"/) },
    })
  })

  it('takes tools that the model need not call', async () => {
    expect(await chat({ tools: [WEATHER] })).toMatchObject({ status: 200, body: { message: { role: 'assistant' } } })
    const twice = await chat({ tools: [WEATHER, WEATHER] })
    expect(twice).toMatchObject({ status: 400, body: { error: expect.stringMatching(/"weather", as an earlier one/) } })
  })

  it('sends a call whose arguments are an object, streamed or not', async () => {
    const forced = {
      tools: [WEATHER],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      options: { seed: 3, num_predict: 300 },
    }
    const whole = await chat(forced)
    const calls = whole.body.message.tool_calls as { id: string; function: unknown }[]
    expect(calls).toEqual([
      {
        id: expect.any(String),
        function: {
          index: 0,
          name: 'weather',
          arguments: { city: expect.stringMatching(/^(Bonn|Rom)$/), days: expect.any(Number) },
        },
      },
    ])
    expect(whole.body.done_reason).toBe('stop')
    const body = JSON.stringify({ model: MODEL, messages: said, ...forced })
    const lines = (await (await server.app.request('/api/chat', { method: 'POST', body })).text()).trim().split('\n')
    const sent = lines.map(line => JSON.parse(line)).flatMap(({ message }) => message.tool_calls ?? [])
    expect(sent.map((call: { function: unknown }) => call.function)).toEqual(calls.map(call => call.function))
  })

  it.each([
    [{ keep_alive: '5 minutes' }, /keep_alive is "5 minutes"; expected seconds/],
    [{ think: 'much' }, /think is "much"/],
    [{ options: { mirostat: 1 } }, /mirostat is 1/],
    [{ options: { temperature: -1 } }, /temperature/],
    [{ format: { type: 'objekt' } }, /objekt/],
  ])('refuses %j', async (body, message) => {
    expect(await chat(body)).toMatchObject({ status: 400, body: { error: expect.stringMatching(message) } })
  })

  it('thinks as it is told, also where the template opens a block all the same', async () => {
    // The mark that ends a block stands in the template: that is how it is known.
    const opens = `{# </think> #}{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}<think>{% endif %}`
    for (const chatTemplate of [THINKING, opens]) {
      const thinker = await testServer({ load: { chatTemplate } })
      const thoughts = async (think: boolean | undefined) => {
        const { body } = await post(thinker, '/api/chat', {
          model: MODEL,
          messages: said,
          stream: false,
          options,
          think,
        })
        return (body as { message: { thinking?: string } }).message.thinking ?? ''
      }
      expect(await thoughts(undefined)).toMatch(/[a-z]/)
      expect(await thoughts(true)).toMatch(/[a-z]/)
      expect(await thoughts(false)).toBe('')
      const { body } = await post(thinker, '/api/show', { model: MODEL })
      expect(body).toMatchObject({ capabilities: ['completion', 'tools', 'thinking', 'embedding'] })
    }
  })

  it('loads without a prompt, and unloads with keep_alive 0', async () => {
    const loaded = async () =>
      ((await (await server.app.request('/api/ps')).json()) as { models: unknown[] }).models.length
    expect((await chat({ messages: [] })).body).toMatchObject({ done: true, done_reason: 'load' })
    expect(await loaded()).toBe(1)
    expect((await chat({ messages: [], keep_alive: 0 })).body).toMatchObject({ done: true, done_reason: 'unload' })
    await expect.poll(loaded).toBe(0)
    expect((await chat({ keep_alive: '1h30m' })).status).toBe(200)
    const ps = (await (await server.app.request('/api/ps')).json()) as { models: { expires_at: string }[] }
    const minutes = (Date.parse(ps.models[0]?.expires_at ?? '') - Date.now()) / 60_000
    expect(minutes).toBeGreaterThan(85)
    expect(minutes).toBeLessThan(91)
  })
})
