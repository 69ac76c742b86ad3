import { bundledModel, type Completion, Engine } from 'latentkit'
import { describe, expect, test } from 'vitest'
import { type ChatAsks, ChatRun } from '../../src/engine/api/chat.ts'
import { readToolChoice, readTools } from '../../src/engine/api/tools.ts'
import type { ChatEvent, ChatOptions, ChatResult, Conversation } from '../../src/engine/types/chat.ts'
import { GenerationStream } from '../../src/engine/wire/generation.ts'
import type { ConversationMessage } from '../../src/formats/index.ts'

const USAGE = { promptTokens: 1, cachedTokens: 0, completionTokens: 1, draftTokens: 0, acceptedTokens: 0 }

/** A model that writes these answers one after the other, in chunks of a few characters. */
function scripted(answers: readonly string[], finishReason: Completion['finishReason'] = 'stop') {
  const asked: { messages: readonly ConversationMessage[]; conversation: Conversation }[] = []
  const asks: ChatAsks = {
    prepare: async () => ({ format: 'hermes', prompt: 'none', forced: null, ends: ['<|im_end|>'] }),
    prompt: (messages, conversation) => {
      let cancelled = false
      const text = answers[asked.length] ?? 'no more'
      asked.push({ messages, conversation })
      const stream = new GenerationStream(() => {
        cancelled = true
      })
      void (async () => {
        for (let at = 0; at < text.length && !cancelled; at += 4) {
          stream.push([{ text: text.slice(at, at + 4), tokenId: 0 }])
          await new Promise(resolve => setImmediate(resolve))
        }
        stream.finish({ text, finishReason: cancelled ? 'aborted' : finishReason, usage: USAGE } as Completion)
      })()
      return stream
    },
  }
  return { asks, asked }
}

async function chat(asks: ChatAsks, options: ChatOptions, signal = new AbortController().signal) {
  const stream = new GenerationStream<ChatEvent, ChatResult>(() => {})
  const run = new ChatRun(asks, readTools(options.tools), options, stream, signal)
  const result = await run.run([{ role: 'user', content: 'Weather?' }])
  stream.finish(result)
  const events: ChatEvent[] = []
  for await (const event of stream) events.push(event)
  return { result, events }
}

const CALL = (city: string) => `<tool_call>\n{"name": "weather", "arguments": {"city": "${city}"}}\n</tool_call>`

describe('a chat', () => {
  test('executes calls and gives their results to the model, until it calls nothing', async () => {
    const { asks, asked } = scripted([`<think>\nhm\n</think>\n\n${CALL('Bonn')}\n${CALL('Rom')}`, 'Sunny.<|im_end|>'])
    const seen: unknown[] = []
    const weather = {
      execute: ({ city }: { city?: unknown }) => {
        seen.push(city)
        return { sky: city === 'Bonn' ? 'rain' : 'sun' }
      },
    }
    const { result, events } = await chat(asks, { tools: { weather } })
    expect(seen).toEqual(['Bonn', 'Rom'])
    expect(result).toMatchObject({ content: 'Sunny.', reasoning: '', toolCalls: [], finishReason: 'stop' })
    expect(result.messages).toEqual([
      {
        role: 'assistant',
        content: null,
        reasoning: 'hm',
        toolCalls: [
          { id: 'call00000', name: 'weather', arguments: { city: 'Bonn' } },
          { id: 'call00001', name: 'weather', arguments: { city: 'Rom' } },
        ],
      },
      { role: 'tool', toolCallId: 'call00000', content: '{"sky":"rain"}' },
      { role: 'tool', toolCallId: 'call00001', content: '{"sky":"sun"}' },
      { role: 'assistant', content: 'Sunny.' },
    ])
    expect(asked[1]?.messages.length).toBe(4)
    expect(events.filter(({ type }) => type === 'toolResult').length).toBe(2)
    expect(events.at(-1)).toEqual({ type: 'content', text: 'y.' })
  })

  test('without execute, returns the calls', async () => {
    const { asks } = scripted([CALL('Bonn')])
    const { result } = await chat(asks, { tools: { weather: {} } })
    expect(result.finishReason).toBe('toolCalls')
    expect(result.toolCalls).toEqual([
      { id: 'call00000', name: 'weather', arguments: { city: 'Bonn' }, complete: true },
    ])
  })

  test('6: one call at a time ends the answer after the first', async () => {
    const { asks } = scripted([`${CALL('Bonn')}${CALL('Rom')}`.repeat(20)])
    const { result } = await chat(asks, { tools: { weather: {} }, parallel: false })
    expect(result.toolCalls.length).toBe(1)
    expect(result.finishReason).toBe('toolCalls')
  })

  test("7: with 'none' a call is text", async () => {
    const { asks } = scripted([CALL('Bonn')])
    const { result } = await chat(asks, { tools: { weather: {} }, toolChoice: 'none' })
    expect(result).toMatchObject({ toolCalls: [], content: CALL('Bonn'), finishReason: 'stop' })
  })

  test('rounds are bounded', async () => {
    const { asks, asked } = scripted(Array.from({ length: 20 }, () => CALL('Bonn')))
    const { result } = await chat(asks, { tools: { weather: { execute: () => 'rain' } }, maxRounds: 3 })
    expect(asked.length).toBe(3)
    expect(result.finishReason).toBe('rounds')
    expect(result.toolCalls[0]?.id).toBe('call00002')
  })

  test('a choice that forces calls is for the first answer', async () => {
    const { asks, asked } = scripted([CALL('Bonn'), 'rain'])
    const options = { tools: { weather: { execute: () => 'rain' } }, toolChoice: 'required' } as const
    const { result } = await chat(asks, options)
    expect(result.finishReason).toBe('stop')
    expect(asked.map(({ conversation }) => conversation.choice)).toEqual(['required', 'auto'])
  })

  test('4: a call that was cut off is not executed', async () => {
    const { asks } = scripted(['<tool_call>{"name": "weather", "arguments": {"city": "Bo'], 'length')
    const { result } = await chat(asks, { tools: { weather: { execute: () => expect.unreachable() } } })
    expect(result.finishReason).toBe('length')
    expect(result.toolCalls).toEqual([{ id: 'call00000', name: 'weather', arguments: { city: 'Bo' }, complete: false }])
  })

  test('a tool that throws, and a name that no tool has, are reported to the model', async () => {
    const { asks, asked } = scripted([`${CALL('x')}<tool_call>{"name": "other", "arguments": {}}</tool_call>`, 'ok'])
    const execute = () => {
      throw new Error('no network')
    }
    await chat(asks, { tools: { weather: { execute } } })
    expect(asked[1]?.messages.slice(2).map(message => message.content)).toEqual([
      'Error: no network',
      'Error: there is no tool other; there are weather',
    ])
  })

  test.each([
    ['a text as it is', 'rain', 'rain'],
    ['data as JSON', { sky: 'rain' }, '{"sky":"rain"}'],
    ['what writes itself as JSON', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['nothing', undefined, ''],
    ['a Map by name', new Map(), /^Error: the result of weather is .*Map.*; expected plain data/],
    ['bytes by name', new Uint8Array(9), /^Error: the result of weather is .*; expected plain data/],
    ['an error as one', new Error('wet'), 'Error: wet'],
    ['what is too long', 'x'.repeat(600_000), /^Error: the result of weather has 600000 characters; expected at most/],
  ])('a result is given to the model: %s', async (_, result, given) => {
    const { asks, asked } = scripted([CALL('x'), 'ok'])
    await chat(asks, { tools: { weather: { execute: () => result } } })
    const { content } = asked[1]?.messages.at(-1) ?? {}
    if (given instanceof RegExp) expect(content).toMatch(given)
    else expect(content).toBe(given)
  })

  test('an abort while a tool works ends it', async () => {
    const { asks } = scripted([CALL('x')])
    const control = new AbortController()
    const execute = (_: unknown, { signal }: { signal: AbortSignal }) => {
      control.abort(new Error('enough'))
      signal.throwIfAborted()
    }
    await expect(chat(asks, { tools: { weather: { execute } } }, control.signal)).rejects.toThrow('enough')
  })
})

test('tools and choices that are none are refused', () => {
  expect(() => readTools({ 'a b': {} })).toThrow('tools has the name "a b"')
  expect(() => readTools(5)).toThrow('expected an object of tools')
  expect(() => readTools([{ type: 'web_search' }])).toThrow(
    'tools[0] is of type "web_search"; expected { type: "function"',
  )
  const now = { type: 'function', function: { name: 'now' } }
  expect(() => readTools([now, now])).toThrow('tools has "now" twice')
  expect(() => readTools({ a: { parameters: 'x' } })).toThrow('tools.a.parameters is "x"; expected a JSON schema')
  expect(() => readTools({ a: { execute: 1 } })).toThrow('tools.a.execute is 1; expected a function')
  expect(() => readToolChoice('must', {})).toThrow("expected 'auto', 'required', 'none'")
  expect(() => readTools({ a: { parameters: { type: 'objekt' } } })).toThrow(
    'tools.a.parameters.type is "objekt"; expected "object"',
  )
  expect(() => readToolChoice({ name: 'b' }, { a: {} })).toThrow(
    'toolChoice names "b", which is not among the tools (a)',
  )
  expect(() => readToolChoice({ name: 'wether' }, { weather: {} })).toThrow('did you mean weather?')
})

const TEMPLATE =
  '{% for m in messages %}<{{ m.role }}> {{ m.content }}</s>\n{% endfor %}{% if add_generation_prompt %}<assistant> {% endif %}'

describe('on the bundled model, with a template', () => {
  test('16: an answer that comes back as a message keeps its ids, so that all before it is cached', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
    await using session = engine.session()
    const messages: ConversationMessage[] = [{ role: 'user', content: 'Once upon a time' }]
    for (let turn = 0; turn < 5; turn++) {
      const before = session.tokens.length
      const {
        content,
        usage,
        messages: added,
      } = await session.chat(messages, { maxTokens: 24, seed: turn, temperature: 1.5 })
      expect(content.length).toBeGreaterThan(0)
      if (turn > 0) expect(usage.cachedTokens).toBeGreaterThanOrEqual(before - 1)
      messages.push(...added, { role: 'user', content: 'Go on.' })
    }
  })

  test('7: a required call has the name of a tool and arguments by its schema, from a model that knows no tools', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
    await using session = engine.session()
    const parameters = {
      type: 'object',
      properties: { city: { enum: ['Bonn', 'Rom'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['city', 'days'],
      additionalProperties: false,
    }
    const tools = { weather: { parameters }, other: {} }
    for (const format of ['generic', 'hermes', 'kimi-k2', 'glm-4.7', 'deepseek-v3'] as const) {
      const options = { tools, toolChoice: { name: 'weather' }, parallel: false, format, seed: 1, temperature: 1 }
      const { toolCalls } = await session.chat([{ role: 'user', content: 'x' }], { ...options, maxTokens: 200 })
      expect(toolCalls, format).toMatchObject([{ name: 'weather', complete: true }])
      expect(['Bonn', 'Rom']).toContain(toolCalls[0]?.arguments.city)
      expect(toolCalls[0]?.arguments.days).toBeGreaterThan(0)
    }
  })

  test('14: 40 tools with long texts delay neither the first token nor others', async () => {
    // 40 tools do not fit into the context, so only those are shown whole by which the template is probed.
    const shown = '{% if t.function.name[:5] == "tool_" %}{{ t.function.name }}{% else %}{{ t | tojson }}{% endif %}'
    const chatTemplate = `{% for t in tools or [] %}${shown} {% endfor %}${TEMPLATE}`
    await using engine = await Engine.load(bundledModel(), { threads: 1, chatTemplate })
    const text = { type: 'string', maxLength: 100_000 }
    const properties = { path: text, text, line: { type: 'integer' }, mode: { enum: ['a', 'w'] } }
    const parameters = { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
    const tools = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`tool_${i}`, { parameters }]))
    const messages = [{ role: 'user', content: 'x' }] as const
    await using session = engine.session()
    await using other = engine.session()
    // What is made once for each engine: tables of the vocabulary, facts about the template.
    await session.prompt('x', { choices: ['a'] })
    const free = await session.chat(messages, { tools, maxTokens: 1 })
    let over = false
    let last = Number.POSITIVE_INFINITY
    let gap = 0
    const told = (async () => {
      for await (const _ of other.prompt('Once', { ignoreEos: true, maxTokens: 1500 })) {
        if (over) break
        gap = Math.max(gap, performance.now() - last)
        last = performance.now()
      }
    })()
    const held = await session.chat(messages, { tools, toolChoice: 'required', format: 'hermes', maxTokens: 8 })
    // A busy machine is allowed; a grammar that grows with maxLength takes many seconds.
    expect(held.timings.firstTokenMs - free.timings.firstTokenMs).toBeLessThan(3000)
    expect(gap).toBeGreaterThan(0)
    expect(gap).toBeLessThan(2000)
    over = true
    await told
  })

  const person = {
    type: 'object',
    properties: { name: { type: 'string', maxLength: 8 }, age: { type: 'integer', minimum: 0, maximum: 99 } },
    required: ['name', 'age'],
  }
  const weather = {
    parameters: {
      type: 'object',
      properties: { city: { enum: ['Bonn', 'Rom'] } },
      required: ['city'],
      additionalProperties: false,
    },
  }

  test('an answer has the value of its schema, and partial values as it comes', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
    await using session = engine.session()
    const options = { schema: person, seed: 3, temperature: 1, maxTokens: 200 }
    const chat = session.chat([{ role: 'user', content: 'x' }], options)
    const partials: unknown[] = []
    for await (const event of chat) if (event.type === 'content') partials.push(event.partial)
    const { value, content, messages } = await chat
    expect(value).toEqual(JSON.parse(content))
    expect(Object.keys(value as object)).toEqual(['name', 'age'])
    expect(partials.at(-1)).toEqual(value)
    expect(messages).toEqual([{ role: 'assistant', content }])
    const { value: word } = await session.chat([{ role: 'user', content: 'x' }], { choices: ['yes', 'no'], seed: 1 })
    expect(['yes', 'no']).toContain(word)
  })

  test('13: with tools and a schema, an answer is a call or JSON by the schema, in every format', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
    const met = new Set<string>()
    for (const format of ['generic', 'hermes', 'llama-3', 'qwen3-coder'] as const) {
      for (let seed = 0; seed < 3; seed++) {
        await using session = engine.session()
        const options = {
          tools: { weather },
          schema: person,
          parallel: false,
          format,
          seed,
          temperature: 1,
          maxTokens: 300,
        }
        const { value, toolCalls, finishReason, content } = await session.chat(
          [{ role: 'user', content: 'x' }],
          options,
        )
        const [call] = toolCalls
        met.add(call ? 'call' : 'value')
        if (call)
          expect({ value, finishReason, content, call }).toMatchObject({
            finishReason: 'toolCalls',
            call: { complete: true },
          })
        else expect(value, format).toEqual({ name: expect.any(String), age: expect.any(Number) })
      }
    }
    expect(met).toEqual(new Set(['value', 'call']))
    await using session = engine.session()
    const options = { tools: { weather }, toolChoice: 'required', schema: person, maxTokens: 300 } as const
    const { toolCalls, value } = await session.chat([{ role: 'user', content: 'x' }], { ...options, parallel: false })
    expect(toolCalls).toMatchObject([{ name: 'weather', complete: true }])
    expect(value).toBeUndefined()
  })

  test('12: a schema that cannot be held is refused by path and keyword, with the tool that has it', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
    await using session = engine.session()
    const bad = { type: 'object', properties: { list: { type: 'array', items: {}, uniqueItems: true } } }
    const say = [{ role: 'user', content: 'x' }] as const
    const contains = { type: 'object', properties: { list: { type: 'array', contains: {} } } }
    await expect(session.chat(say, { schema: contains })).rejects.toMatchObject({
      code: 'bad_schema',
      keyword: 'contains',
    })
    const forced = { tools: { weather: { parameters: bad } }, toolChoice: 'required' } as const
    await expect(session.chat(say, forced)).rejects.toMatchObject({
      path: '/weather/properties/list',
      keyword: 'uniqueItems',
    })
    await expect(session.chat(say, { schema: person, json: true })).rejects.toThrow('schema and json were given')
  })

  test("with 'auto', a call that has begun is held to the tools", async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
    const goesOn = async (begun: string, options: ChatOptions = {}) => {
      await using session = engine.session()
      const tokenIds = await engine.tokenize(begun)
      const given = {
        tools: { weather },
        format: 'hermes',
        maxTokens: tokenIds.length + 80,
        temperature: 1.2,
        ...options,
      } as const
      const { tokenIds: all } = await session.chat([{ role: 'user', content: 'x' }], { ...given, resume: { tokenIds } })
      return engine.detokenize(all)
    }
    for (const seed of [1, 2]) {
      for (const speculation of ['off', 'ngram'] as const) {
        const text = await goesOn('Let me see. <tool_call>', { seed, speculation })
        expect(text).toMatch(
          /^Let me see\. <tool_call>\n\{"name": "weather", "arguments": \{\s*"city"\s*:\s*"(Bonn|Rom)"/,
        )
      }
    }
    expect(await goesOn('<tool_call>\n{"', { seed: 3 })).toMatch(/^<tool_call>\n\{"name": "weather"/)
    // What only looks like a call stays free, and so does reasoning.
    expect(await goesOn('<tool_call> is how', { seed: 4 })).not.toContain('"weather"')
    expect(await goesOn('Let me see.', { seed: 5 })).not.toContain('"weather"')
    const odd = {
      parameters: { type: 'object', properties: { list: { type: 'array', uniqueItems: true, contains: {} } } },
    }
    expect(await goesOn('<tool_call>', { tools: { odd }, seed: 6 })).toMatch(
      /^<tool_call>\n\{"name": "odd", "arguments": \{/,
    )
    const strict = { odd: { ...odd, strict: true } }
    await expect(goesOn('<tool_call>', { tools: strict })).rejects.toMatchObject({
      code: 'bad_schema',
      path: expect.stringContaining('/odd'),
    })
  })

  test('log-probabilities come with the events of their tokens, all in order', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
    await using session = engine.session()
    const tools = { weather: { parameters: weather.parameters } }
    for (const toolChoice of ['none', 'required'] as const) {
      const options = {
        logprobs: 2,
        tools,
        toolChoice,
        parallel: false,
        format: 'hermes',
        maxTokens: 60,
        seed: 4,
      } as const
      const chat = session.chat([{ role: 'user', content: 'Once' }], options)
      const ids: number[] = []
      const parts = new Set<string>()
      for await (const event of chat) {
        if (event.type !== 'logprobs') continue
        parts.add(event.of)
        ids.push(...event.logprobs.map(({ id }) => id))
        expect(event.logprobs[0]?.top.length).toBe(2)
      }
      const { tokenIds, logprobs } = await chat
      // After the call of an answer that ends with its first one, tokens may have been drawn that no event has.
      expect(ids).toEqual(toolChoice === 'none' ? tokenIds : tokenIds.slice(0, ids.length))
      expect(ids.length).toBeGreaterThan(20)
      expect(logprobs?.length).toBeGreaterThanOrEqual(ids.length)
      expect([...parts]).toEqual([toolChoice === 'none' ? 'content' : 'call'])
    }
  })

  test('reasoning has its tokens counted, and an effort of none ends what the template opens', async () => {
    const thinking = `${TEMPLATE.replace('<assistant> {%', '<assistant> {# </think> #}{% if reasoning_effort == "low" %}(low){% endif %}<think>{%')}`
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: thinking })
    await using session = engine.session()
    const say = [{ role: 'user', content: 'Once' }] as const
    const thought = await session.chat(say, { thinkingBudget: 9, maxTokens: 40, seed: 1 })
    expect(thought.reasoning.length).toBeGreaterThan(0)
    expect(thought.content.length).toBeGreaterThan(0)
    expect(thought.usage.reasoningTokens).toBeGreaterThanOrEqual(9)
    expect(thought.usage.reasoningTokens).toBeLessThan(thought.usage.completionTokens)
    const direct = await session.chat(say, { reasoningEffort: 'none', maxTokens: 40, seed: 1 })
    expect(direct.reasoning).toBe('')
    expect(direct.content.length).toBeGreaterThan(0)
    expect((await engine.countChat(say, { reasoningEffort: 'low' })).text).toContain('(low)')
  })

  test('an answer that was begun is continued', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
    await using session = engine.session()
    const begun = [{ role: 'user', content: 'Tell' } as const, { role: 'assistant', content: 'Once upon' } as const]
    const options = { continueFinalMessage: true, maxTokens: 12, temperature: 0 }
    const { content, messages } = await session.chat(begun, options)
    expect(messages).toEqual([{ role: 'assistant', content: `Once upon${content}` }])
    const { text, tokens } = await engine.countChat(begun, { continueFinalMessage: true })
    expect(text.endsWith('<assistant> Once upon')).toBe(true)
    const { usage, finishReason, tokenIds } = await session.chat(begun, { ...options, maxTokens: 0 })
    expect({ finishReason, tokenIds, prompt: usage.promptTokens }).toEqual({
      finishReason: 'length',
      tokenIds: [],
      prompt: tokens,
    })
  })

  test("4: OpenAI's form is read, also of a call that was cut off", async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
    const history = (given: unknown) => [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'hm',
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'weather', arguments: given } }],
      },
      { role: 'tool', tool_call_id: 'a', content: 'rain' },
    ]
    const tools = [{ type: 'function', function: { name: 'weather', description: 'Sky', parameters: null } }] as never
    const { text, tokens, format } = await engine.countChat(history('{"city":"Bonn"}') as never, {
      tools,
      format: 'generic',
    })
    expect(text).toContain('"city": "Bonn"')
    expect(text).toContain('Sky')
    expect(format).toBe('generic')
    await using session = engine.session()
    const { usage } = await session.chat(history('{"city":"Bonn"}') as never, {
      tools,
      format: 'generic',
      maxTokens: 4,
    })
    expect(usage.promptTokens).toBe(tokens)
    for (const [cut, shown] of [
      ['{', '{}'],
      ['', '{}'],
      ['{"city": "Bo', '{"city": "Bo"}'],
      ['5', '{}'],
    ] as const) {
      expect((await engine.countChat(history(cut) as never, { tools, format: 'generic' })).text, cut).toContain(
        `"arguments": ${shown}`,
      )
    }
    await expect(engine.countChat(history(5) as never)).rejects.toThrow('messages[1].tool_calls[0].arguments is 5')
  })

  test('errors come from the chat, by name', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: TEMPLATE })
    await using session = engine.session()
    const image = [{ type: 'image_url', image_url: {} }] as never
    await expect(session.chat([{ role: 'user', content: image }])).rejects.toThrow('a part of type "image_url"')
    await expect(session.chat([{ role: 'critic', content: 'x' } as never])).rejects.toThrow(
      'messages[0].role is "critic"',
    )
    await expect(session.chat([])).rejects.toThrow('messages is an empty list')
    await expect(session.prompt([])).rejects.toThrow('messages is an empty list')
    const orphan = [{ role: 'tool', content: 'x', toolCallId: 'a' } as const]
    await expect(session.chat(orphan)).rejects.toThrow('messages[0].toolCallId is "a", which no call has')
    const loose = [{ role: 'tool', content: 'x' } as never]
    await expect(session.chat(loose)).rejects.toThrow('messages[0].toolCallId is undefined')
    const misspelt = [{ role: 'tool', content: 'x', toolCallid: 'a' } as never]
    await expect(session.chat(misspelt)).rejects.toThrow('has no field "toolCallid"; did you mean toolCallId?')
    await expect(session.chat([{ role: 'user', content: 'x' }], { tool: {} } as never)).rejects.toThrow(
      'no option tool',
    )
    const aborted = AbortSignal.abort(new Error('stop'))
    await expect(session.chat([{ role: 'user', content: 'x' }], { signal: aborted })).rejects.toThrow('stop')
    for await (const event of session.chat([{ role: 'user', content: 'x' }])) {
      expect(event.type).toBe('content')
      break
    }
  })
})
