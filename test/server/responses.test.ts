/** OpenAI's own client and its newer API. */
import OpenAI from 'openai'
import type { ResponseCreateParamsNonStreaming, ResponseStreamEvent } from 'openai/resources/responses/responses'
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
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 })
// `seed` is no word of this API; fields of the others work here too.
const asked = { model: MODEL, input: 'Once upon a time', max_output_tokens: 16, seed: 1 } as const
const weather = {
  type: 'function' as const,
  name: 'weather',
  description: 'The weather',
  parameters: WEATHER.function.parameters,
  strict: null as never,
}
const forced = {
  ...asked,
  max_output_tokens: 300,
  tools: [weather],
  tool_choice: { type: 'function' as const, name: 'weather' },
}

interface Whole {
  readonly id: string
  readonly status: string
  readonly incomplete_details: unknown
  readonly previous_response_id: string | null
  readonly output: readonly ({ readonly id: string } & Record<string, unknown>)[]
  readonly output_text: string
  readonly usage: {
    readonly input_tokens: number
    readonly output_tokens_details: { readonly reasoning_tokens: number }
  }
}

const create = (body: object) =>
  client.responses.create(body as ResponseCreateParamsNonStreaming) as unknown as Promise<Whole>
const final = (body: object) => client.responses.stream(body as never).finalResponse() as unknown as Promise<Whole>

async function streamed(body: object, from = server): Promise<ResponseStreamEvent[]> {
  const sent = JSON.stringify({ ...body, stream: true })
  const all = await namedEvents<ResponseStreamEvent>(
    await from.app.request('/v1/responses', { method: 'POST', body: sent }),
  )
  expect(all.map(({ name }) => name)).toEqual(all.map(({ data }) => data.type))
  return all.map(({ data }) => data)
}

/** What of a response is the same however it comes: ids and times are not. */
function meaning({ output, status, incomplete_details: incomplete }: Whole): unknown {
  return {
    output: output.map(({ id: _, ...item }) => ({ ...item, call_id: undefined, parsed_arguments: undefined })),
    status,
    incomplete,
  }
}

const refused = (call: Promise<unknown>) => refusedBy(OpenAI.APIError, call)

test('3: streamed and whole are the same response', async () => {
  const whole = await create(asked)
  expect(whole).toMatchObject({
    ...{ object: 'response', status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, error: null },
    ...{ model: MODEL, output: [{ type: 'message', role: 'assistant', status: 'incomplete' }] },
    usage: { input_tokens: 5, output_tokens: 16, total_tokens: 21, output_tokens_details: { reasoning_tokens: 0 } },
  })
  expect(whole.output_text.length).toBeGreaterThan(0)
  const again = (await streamed(asked)).at(-1) as unknown as { response: Whole }
  expect(meaning(again.response)).toEqual(meaning(whole))
  expect((await final({ ...asked, max_output_tokens: 500 })).status).toBe('completed')
})

test('events come in order and are numbered from 0', async () => {
  const all = await streamed({ ...asked, max_output_tokens: 500 })
  expect(all.map(event => event.sequence_number)).toEqual(all.map((_, i) => i))
  const deltas = all.filter(({ type }) => type === 'response.output_text.delta').length
  expect(all.map(({ type }) => type)).toEqual([
    ...['response.created', 'response.in_progress'],
    ...['response.output_item.added', 'response.content_part.added'],
    ...Array.from({ length: deltas }, () => 'response.output_text.delta'),
    ...['response.output_text.done', 'response.content_part.done', 'response.output_item.done'],
    'response.completed',
  ])
  const text = all.map(event => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')
  expect(all.find(({ type }) => type === 'response.output_text.done')).toMatchObject({ text })
})

describe('tools', () => {
  test('1, 7: the named one is called, streamed and not; its output comes back in every form', async () => {
    const whole = await create(forced)
    const [call] = whole.output as unknown as [{ call_id: string; arguments: string }]
    expect(whole).toMatchObject({
      status: 'completed',
      output: [{ type: 'function_call', name: 'weather', status: 'completed' }],
    })
    expect(JSON.parse(call.arguments)).toMatchObject({ city: expect.stringMatching(/Bonn|Rom/) })
    const again = await final(forced)
    expect(meaning(again)).toEqual(meaning({ ...whole }))
    const answered = async (output: unknown) => {
      const result = { type: 'function_call_output', call_id: call.call_id, output }
      const input = [{ role: 'user', content: asked.input }, ...whole.output, result]
      return (await create({ ...asked, max_output_tokens: 1, input, tools: [weather] })).usage.input_tokens
    }
    const sunny = await answered('sunny')
    expect(sunny).toBeGreaterThan(await answered(''))
    expect(await answered([{ type: 'input_text', text: 'sunny' }])).toBe(sunny)
  })

  test('5, 6: several calls have items of their own; only one where only one may be', async () => {
    const required = { ...forced, tool_choice: 'required', max_output_tokens: 120 }
    const all = await streamed(required)
    const added = all.flatMap(event => (event.type === 'response.output_item.added' ? [event] : []))
    expect(added.map(event => event.output_index)).toEqual(added.map((_, i) => i))
    expect(new Set(added.map(({ item }) => (item as { call_id: string }).call_id)).size).toBe(added.length)
    const one = await create({ ...required, max_output_tokens: 300, parallel_tool_calls: false })
    expect(one).toMatchObject({ status: 'completed', output: [{ type: 'function_call' }] })
    expect(one.output.length).toBe(1)
  })

  test('allowed_tools and none', async () => {
    const radar = { ...weather, name: 'radar' }
    const allowed = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'radar' }] }
    const one = { ...forced, tools: [weather, radar], tool_choice: allowed, parallel_tool_calls: false }
    expect((await create(one)).output).toMatchObject([{ type: 'function_call', name: 'radar' }])
    const none = await create({ ...forced, max_output_tokens: 20, tool_choice: 'none' })
    expect(none.output).toMatchObject([{ type: 'message' }])
  })

  test('4: a call that was cut off comes back in the history', async () => {
    const cut = { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{' }
    const input = [{ role: 'user', content: 'Hi' }, cut]
    expect((await create({ ...asked, input, tools: [weather] })).status).toBeTruthy()
  })
})

test('text.format: JSON by its schema, streamed and not; any JSON', async () => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer', maximum: 9, minimum: 0 } },
    required: ['n'],
    additionalProperties: false,
  }
  const format = { type: 'json_schema', name: 'n', strict: true, schema }
  const body = { ...asked, max_output_tokens: 60, text: { format } }
  const whole = await create(body)
  expect(JSON.parse(whole.output_text)).toEqual({ n: expect.any(Number) })
  expect((await final(body)).output_text).toBe(whole.output_text)
  const any = await create({ ...asked, max_output_tokens: 400, text: { format: { type: 'json_object' } } })
  if (any.status === 'completed') expect(JSON.parse(any.output_text)).toBeTypeOf('object')
})

test('logprobs come with their text', async () => {
  const whole = await create({ ...asked, top_logprobs: 2, include: ['message.output_text.logprobs'] })
  const [{ content }] = whole.output as unknown as [
    { content: [{ logprobs: { token: string; top_logprobs: unknown[] }[] }] },
  ]
  expect(content[0].logprobs.map(({ token }) => token).join('')).toBe(whole.output_text)
  expect(content[0].logprobs.every(({ top_logprobs: top }) => top.length === 2)).toBe(true)
})

describe('reasoning', async () => {
  const thinker = await testServer({ load: { chatTemplate: THINKING } })
  const body = { ...asked, max_output_tokens: 40, thinking_token_budget: 9 }

  test('is an item of its own, streamed and not, and comes back', async () => {
    const { body: whole } = await post(thinker, '/v1/responses', body)
    const { output, usage } = whole as unknown as Whole
    expect(output).toMatchObject([
      { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text' }] },
      { type: 'message' },
    ])
    expect(usage.output_tokens_details.reasoning_tokens).toBeGreaterThan(8)
    const all = await streamed(body, thinker)
    expect(meaning((all.at(-1) as unknown as { response: Whole }).response)).toEqual(meaning(whole as unknown as Whole))
    const kinds = all.map(({ type }) => type as string)
    expect(kinds.filter(type => type.includes('reasoning_text')).length).toBeGreaterThan(2)
    const input = [{ role: 'user', content: asked.input }, ...output, { role: 'user', content: 'Go on' }]
    expect((await post(thinker, '/v1/responses', { ...asked, input })).status).toBe(200)
  })

  test('is shown as its summary to those who ask for one; an effort of none ends it', async () => {
    const summary = { ...body, reasoning: { summary: 'auto' } }
    const { body: whole } = await post(thinker, '/v1/responses', summary)
    const { output } = whole as unknown as Whole
    expect(output).toMatchObject([{ type: 'reasoning', content: [], summary: [{ type: 'summary_text' }] }, {}])
    const kinds = (await streamed(summary, thinker)).map(({ type }) => type as string)
    expect(kinds.filter(type => type.includes('reasoning_text'))).toEqual([])
    const named = [...new Set(kinds.filter(type => type.includes('reasoning')))]
    expect(named).toEqual([
      ...['response.reasoning_summary_part.added', 'response.reasoning_summary_text.delta'],
      ...['response.reasoning_summary_text.done', 'response.reasoning_summary_part.done'],
    ])
    const direct = await post(thinker, '/v1/responses', { ...asked, reasoning: { effort: 'none' } })
    expect((direct.body as unknown as Whole).output).toMatchObject([{ type: 'message' }])
  })
})

test('input_tokens is what the same body takes', async () => {
  const body = { ...asked, instructions: 'You tell stories.', tools: [weather] }
  const { usage } = await create({ ...body, max_output_tokens: 1 })
  const counted = await client.responses.inputTokens.count(body as never)
  expect(counted).toEqual({ object: 'response.input_tokens', input_tokens: usage.input_tokens })
})

describe('responses that are kept', () => {
  test('one follows another, as if the whole conversation were sent', async () => {
    const first = await create(asked)
    const next = await create({ ...asked, input: 'Go on', previous_response_id: first.id, instructions: 'Short.' })
    const items = [{ role: 'user', content: asked.input }, ...first.output, { role: 'user', content: 'Go on' }]
    const all = await create({ ...asked, input: items, instructions: 'Short.' })
    expect(next.output_text).toBe(all.output_text)
    expect(next.previous_response_id).toBe(first.id)
    expect(await client.responses.retrieve(first.id)).toMatchObject({ id: first.id, output: first.output })
    await client.responses.delete(first.id)
    expect(await refused(client.responses.retrieve(first.id))).toMatchObject({ status: 404 })
  })

  test('store: false keeps nothing, and nobody finds what others keep', async () => {
    const { id } = await create({ ...asked, store: false })
    const gone = { status: 404, code: 'previous_response_not_found', param: 'previous_response_id' }
    expect(await refused(create({ ...asked, previous_response_id: id }))).toMatchObject(gone)
    // What is cached may be shared; what was said is not.
    const locked = await testServer({ apiKeys: ['one', 'two'], sharePrompts: true })
    const { body } = await post(locked, '/v1/responses', asked, { 'x-api-key': 'one' })
    const follow = { ...asked, previous_response_id: (body as { id: string }).id }
    expect((await post(locked, '/v1/responses', follow, { 'x-api-key': 'two' })).status).toBe(404)
    expect((await post(locked, '/v1/responses', follow, { 'x-api-key': 'one' })).status).toBe(200)
  })
})

describe('what is wrong is said', () => {
  const cases: [string, Record<string, unknown>, number, string, string | null][] = [
    ['no such model', { model: 'gpt-9' }, 404, 'model_not_found', 'model'],
    ['a number out of range', { top_p: 3 }, 400, 'invalid_value', 'top_p'],
    ['nothing', { input: null }, 400, 'invalid_value', 'input'],
    [
      'a picture',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] },
      ...([400, 'unsupported_content', 'input[0].content[0]'] as const),
    ],
    [
      'a picture as output',
      { input: [{ type: 'function_call_output', call_id: 'x', output: [{ type: 'input_image' }] }] },
      ...([400, 'unsupported_content', 'input[0].output[0]'] as const),
    ],
    ['an item that is not kept', { input: [{ type: 'item_reference', id: 'x' }] }, 404, 'item_not_found', 'input[0]'],
    ['a kept conversation', { conversation: 'conv_1' }, 400, 'invalid_value', 'conversation'],
    ['work in the background', { background: true }, 400, 'invalid_value', 'background'],
    ['a choice of no tool', { tool_choice: { type: 'function', name: 'radar' } }, 400, 'invalid_value', 'tool_choice'],
    ['a choice without tools', { tool_choice: 'required' }, 400, 'invalid_value', 'tool_choice'],
    ['an unknown format', { text: { format: { type: 'xml' } } }, 400, 'invalid_value', 'text.format.type'],
    [
      '12: a schema that cannot be held',
      { text: { format: { type: 'json_schema', name: 'x', schema: { $ref: 'https://elsewhere/x' } } } },
      ...([400, 'unsupported_schema', null] as const),
    ],
    ['18: a prompt that does not fit', { input: 'word '.repeat(3000) }, 400, 'context_length_exceeded', 'messages'],
  ]
  test.each(cases)('%s, streamed or not', async (_, change, status, code, param) => {
    for (const stream of [false, true]) {
      expect(await refused(create({ ...asked, ...change, stream }))).toMatchObject({ status, code, param })
    }
  })
})

test('17: signs of life are events: of the response before its first item', async () => {
  const body = { ...asked, max_output_tokens: 2 }
  const isSigned = (come: string) => come.split('event: response.in_progress').length > 2
  const text = await waitingStream('/v1/responses', body, isSigned)
  const numbers = [...text.matchAll(/"sequence_number":(\d+)\}/g)].map(([, number]) => Number(number))
  expect(numbers).toEqual(numbers.map((_, i) => i))
  expect(text).toContain('event: response.incomplete')
})
