/** What users of other servers complain about (docs/tools.md has the list): those that no other file here has, by each API. */
import { describe, expect, test } from 'vitest'
import { CHAT_TEMPLATE } from '../engine/tales.ts'
import { events, MODEL, post, slowdown, THINKING, testServer } from './support.ts'
import { APIS, type ApiName, askBy, type WireAnswer, type WireAsk } from './wire.ts'

const server = await testServer()
const NAMES = Object.keys(APIS) as ApiName[]
const messages = [{ role: 'user', content: 'Once upon a time' }] as const

/** Whole and streamed, which must be the same. */
async function both(name: ApiName, ask: WireAsk, from = server): Promise<WireAnswer> {
  const [whole, streamed] = await Promise.all(
    [false, true].map(stream => askBy(from, APIS[name], ask, { model: MODEL, stream })),
  )
  if (!whole || !('answer' in whole)) throw new Error(`${name}: ${JSON.stringify(whole)}`)
  const without = (answer: unknown) => JSON.stringify(answer).replace(/"id":"[^"]*"/g, '')
  expect(without(streamed), name).toBe(without(whole))
  return whole.answer
}

/** Each text that a stream adds to the answer or to arguments. */
async function deltas(name: ApiName, ask: WireAsk): Promise<string[]> {
  const body = JSON.stringify({ ...APIS[name].body(ask, MODEL), stream: true })
  const response = await server.app.request(APIS[name].path, { method: 'POST', body })
  const data = name === 'ollama' ? (await response.text()).trim().split('\n') : await events(response)
  return data.flatMap(line => {
    if (line === '[DONE]') return []
    const { choices, type, delta, message } = JSON.parse(line)
    const added = choices?.[0]?.delta
    const texts = [added?.content, added?.tool_calls?.[0].function.arguments, message?.content]
    if (/delta$/.test(type ?? '')) texts.push(typeof delta === 'string' ? delta : (delta.text ?? delta.partial_json))
    return texts.filter((text): text is string => typeof text === 'string' && text !== '')
  })
}

const person = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 8 }, age: { type: 'integer', minimum: 0, maximum: 99 } },
  required: ['name', 'age'],
  additionalProperties: false,
}
const isPerson = { name: expect.any(String), age: expect.any(Number) }

describe('8, 10: with a template that opens reasoning', async () => {
  const thinker = await testServer({ load: { chatTemplate: THINKING } })
  const more = { seed: 3, thinking_token_budget: 12 }

  test.each(NAMES)(
    '%s: what the model thinks is free and stays apart, and the answer is JSON by its schema',
    async name => {
      const answer = await both(name, { messages, schema: person, maxTokens: 120, more }, thinker)
      expect(answer.reasoning).toMatch(/[a-z]/)
      expect(() => JSON.parse(answer.reasoning)).toThrow()
      expect(JSON.parse(answer.text)).toEqual(isPerson)
    },
  )

  test.each(NAMES)('%s: without an end, all of it is reasoning', async name => {
    const answer = await both(name, { messages, maxTokens: 12, more: { seed: 3 } }, thinker)
    expect([answer.text, answer.reason]).toEqual(['', 'length'])
    expect(answer.reasoning).toMatch(/[a-z]/)
  })
})

test.each(['chat', 'messages'] as ApiName[])(
  '11: %s: a model that wants nothing but line breaks gives JSON that ends',
  async name => {
    const { body } = await post(server, '/tokenize', { content: '\n' })
    const [id] = (body as { tokens: number[] }).tokens
    const more = { seed: 1, logit_bias: { [String(id)]: 100 } }
    const answer = await both(name, { messages, schema: person, maxTokens: 200, more })
    expect(answer.reason).toBe('stop')
    expect(JSON.parse(answer.text)).toEqual(isPerson)
    // A line break with its indentation at most.
    expect(answer.text).not.toMatch(/\s{18}/)
  },
)

test.each(NAMES)('13: %s: with tools and a schema it is a call or JSON by the schema', async name => {
  const tools = {
    weather: { parameters: { ...person, properties: { city: { enum: ['Bonn', 'Rom'] } }, required: ['city'] } },
  }
  const answer = await both(name, {
    messages,
    tools,
    schema: person,
    parallel: false,
    maxTokens: 200,
    more: { seed: 2 },
  })
  if (answer.calls.length > 0) expect(answer.calls[0]).toMatchObject({ name: 'weather' })
  else expect(JSON.parse(answer.text)).toEqual(isPerson)
})

describe('14: 40 tools with texts of up to 100,000 characters', async () => {
  // They do not fit into the context: the template names them, and shows whole those by which it is probed.
  const shown = '{% if t.function.name[:5] == "tool_" %}{{ t.function.name }}{% else %}{{ t | tojson }}{% endif %}'
  const hermes = '{# <tool_call>{"name": …, "arguments": …}</tool_call> #}'
  const chatTemplate = `${hermes}{% for t in tools or [] %}${shown} {% endfor %}${CHAT_TEMPLATE}`
  const busy = await testServer({ load: { chatTemplate } })
  const text = { type: 'string', maxLength: 100_000 }
  const tool = (i: number) => {
    // Of each try its own, as what was compiled is kept.
    const properties = { path: text, text, [`line_${i}`]: { type: 'integer' }, mode: { enum: ['a', 'w'] } }
    return {
      parameters: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
    }
  }
  /** Promised on a machine that does nothing else. */
  const LATER_MS = 200
  const STALL_MS = 50
  const TRIES = 6

  /** Until the first token of an answer that is not streamed. */
  const firstToken = async (name: ApiName, ask: WireAsk) => {
    const begun = performance.now()
    const got = await askBy(busy, APIS[name], ask, { model: MODEL, stream: false })
    if (!('answer' in got)) throw new Error(JSON.stringify(got))
    return performance.now() - begun
  }

  test.each(['chat', 'responses', 'messages'] as ApiName[])(
    '%s: the first token is not late, and other streams do not wait',
    async name => {
      const ask = { messages, maxTokens: 1, more: { seed: 1 } }
      await firstToken(name, { ...ask, schema: { enum: ['a'] } })
      const [late, stalls]: [number[], number[]] = [[], []]
      const isMet = () => Math.min(...late) < LATER_MS && Math.min(...stalls) < STALL_MS
      for (let n = 0; n < TRIES && !isMet(); n++) {
        const its = Array.from({ length: 40 }, (_, i) => [`tool_${i}`, tool(100 * n + i + name.length * 1000)] as const)
        const tools = Object.fromEntries(its)
        const slow = slowdown()
        const free = await firstToken(name, { ...ask, tools, toolChoice: 'none' })
        const other = await busy.app.request('/v1/completions', {
          method: 'POST',
          body: JSON.stringify({ prompt: 'Once', max_tokens: 1500, ignore_eos: true, stream: true }),
        })
        const reader = (other.body as ReadableStream<Uint8Array>).getReader()
        let isOver = false
        let stall = 0
        const beside = (async () => {
          await reader.read()
          for (let last = performance.now(); !isOver; ) {
            if ((await reader.read()).done) return
            stall = Math.max(stall, performance.now() - last)
            last = performance.now()
          }
        })()
        const held = await firstToken(name, { ...ask, tools, toolChoice: 'required' })
        isOver = true
        await beside
        await reader.cancel()
        expect(stall).toBeGreaterThan(0)
        late.push((held - free) / slow)
        stalls.push(stall / slow)
      }
      expect(Math.min(...late), `${late}`).toBeLessThan(LATER_MS)
      expect(Math.min(...stalls), `${stalls}`).toBeLessThan(STALL_MS)
    },
  )
})

test.each(NAMES)('19: %s: no half of a character is in any delta', async name => {
  const text = 'Zürich 日本語 😀👩‍👩‍👧 fin'
  const parts = await deltas(name, { messages, schema: { const: text }, maxTokens: 200 })
  expect(parts.length).toBeGreaterThan(10)
  for (const part of parts) expect(!/\ufffd|\p{Surrogate}/u.test(part), part).toBe(true)
  expect(JSON.parse(parts.join(''))).toBe(text)
})

describe('21: messages that templates refuse or lose', () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }
  const shapes: [string, readonly object[]][] = [
    [
      'instructions twice, as system and developer',
      [{ role: 'system', content: 'A' }, { role: 'developer', content: 'B' }, ...messages],
    ],
    ['two questions in a row', [...messages, ...messages]],
    [
      'parts',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'A' },
            { type: 'text', text: 'B' },
          ],
        },
      ],
    ],
    [
      'no content beside a call',
      [
        ...messages,
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: 'x' },
      ],
    ],
    [
      'content that is absent',
      [...messages, { role: 'assistant', tool_calls: [call] }, { role: 'tool', tool_call_id: 'call_1', content: 'x' }],
    ],
    ['an answer first', [{ role: 'assistant', content: 'Hi' }, ...messages]],
  ]
  const mark = "{{ raise_exception('roles must alternate') }}"
  const alternate = `{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}${mark}{% endif %}{{ m.content }}`
  const chatTemplate = `{% for m in messages %}${alternate}\n{% endfor %}`
  const strict = testServer({ load: { chatTemplate } })

  test.each(shapes)('%s', async (_, given) => {
    const body = { messages: given, max_tokens: 1 }
    expect((await post(server, '/v1/chat/completions', body)).status).toBe(200)
    // A template may refuse what no form of its own can say: that is the request's fault, never the server's.
    const { status, body: said } = await post(await strict, '/v1/chat/completions', body)
    if (status !== 200) expect([status, said]).toMatchObject([400, { error: { code: 'invalid_messages' } }])
  })
})

test('24: long chats over the budget of the cache wait for each other, and none fails', async () => {
  const small = await testServer({ load: { cacheBytes: 3 << 20 } })
  const ask = (i: number) => ({
    messages: [{ role: 'user', content: `${i} ${'A dog ran. '.repeat(120)}` }],
    max_tokens: 60,
  })
  const all = await Promise.all([1, 2, 3, 4].map(i => post(small, '/v1/chat/completions', ask(i))))
  expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200])
})

test.each(['chat', 'messages'] as ApiName[])('25: %s: a long argument comes as it is written', async name => {
  const parameters = {
    type: 'object',
    properties: { text: { type: 'string', minLength: 250, maxLength: 300 } },
    required: ['text'],
  }
  const tools = { save: { parameters: { ...parameters, additionalProperties: false } } }
  const parts = await deltas(name, {
    messages,
    tools,
    toolChoice: { name: 'save' },
    maxTokens: 300,
    more: { seed: 1 },
  })
  expect(parts.length).toBeGreaterThan(50)
  expect(Math.max(...parts.map(part => part.length))).toBeLessThan(60)
  expect(JSON.parse(parts.join('')).text.length).toBeGreaterThan(249)
})
