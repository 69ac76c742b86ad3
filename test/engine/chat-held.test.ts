/** What the answer of a chat is held to: calls of its tools, a value of its schema, or either. */
import { bundledModel, type ChatOptions, Engine } from 'latentkit'
import { describe, expect, test } from 'vitest'
import { CHAT_TEMPLATE } from './tales.ts'

describe('on the bundled model, an answer', () => {
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

  test('7: a required call has the name of a tool and arguments by its schema, from a model that knows no tools', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
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

  test('has the value of its schema, and partial values as it comes', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
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

  test('that is resumed has the value of all of it', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
    await using session = engine.session()
    const options = { schema: person, seed: 3, temperature: 1, maxTokens: 200 }
    const { value, tokenIds } = await session.chat([{ role: 'user', content: 'x' }], options)
    const resume = { tokenIds: tokenIds.slice(0, 5) }
    const chat = session.chat([{ role: 'user', content: 'x' }], { ...options, resume })
    let last: unknown
    for await (const event of chat) if (event.type === 'content') last = event.partial
    expect([(await chat).value, last]).toEqual([value, value])
  })

  test('13: with tools and a schema is a call or JSON by the schema, in every format', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
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
    for (let seed = 0; seed < 4; seed++) {
      await using session = engine.session()
      const required = { tools: { weather }, toolChoice: 'required', schema: person, parallel: false } as const
      const options = { ...required, seed, temperature: 1, maxTokens: 300 }
      const { toolCalls, value } = await session.chat([{ role: 'user', content: 'x' }], options)
      expect(toolCalls).toMatchObject([{ name: 'weather', complete: true }])
      expect(value).toBeUndefined()
    }
  })

  test('12: a schema that cannot be held is refused by path and keyword, with the tool that has it', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
    await using session = engine.session()
    const bad = { type: 'object', properties: { list: { type: 'array', contains: {}, minContains: 20 } } }
    const say = [{ role: 'user', content: 'x' }] as const
    const contains = { type: 'object', properties: { list: { type: 'array', contains: {}, minContains: 20 } } }
    await expect(session.chat(say, { schema: contains })).rejects.toMatchObject({
      code: 'bad_schema',
      keyword: 'contains',
    })
    const forced = { tools: { weather: { parameters: bad } }, toolChoice: 'required' } as const
    await expect(session.chat(say, forced)).rejects.toMatchObject({
      path: '/weather/properties/list',
      keyword: 'contains',
    })
    await expect(session.chat(say, { schema: person, json: true })).rejects.toThrow('schema and json were given')
  })

  test("with 'auto' is free until it begins a call, which is held to the tools", async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
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
      parameters: {
        type: 'object',
        properties: { list: { type: 'array', uniqueItems: true, contains: {}, minContains: 20 } },
      },
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

  test("with 'auto', a bare call of llama-3 that begins the answer is held too, and other JSON is not", async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
    const goesOn = async (begun: string, seed: number) => {
      await using session = engine.session()
      const tokenIds = await engine.tokenize(begun)
      const tools = { weather, now: {} }
      const options = { tools, format: 'llama-3', maxTokens: tokenIds.length + 60, temperature: 1.2, seed } as const
      const { tokenIds: all } = await session.chat([{ role: 'user', content: 'x' }], {
        ...options,
        resume: { tokenIds },
      })
      return engine.detokenize(all)
    }
    const called = /^\s*(<\|python_tag\|>)?\{"name": "weather", "parameters": \{\s*"city"\s*:\s*"(Bonn|Rom)"\s*\}\}/
    for (const seed of [1, 2, 3]) {
      expect(await goesOn('{"name": "weather"', seed)).toMatch(called)
      expect(await goesOn('<|python_tag|>{"name": "weather", "pa', seed)).toMatch(called)
      expect(await goesOn('\n {"name": "now"', seed)).toMatch(/^\n \{"name": "now", "parameters": \{\s*\}\}/)
    }
    // A person, and a call that is shown in a sentence.
    expect(await goesOn('{"name": "weath', 1)).not.toMatch(called)
    expect(await goesOn('{"name": "Lily", "', 1)).not.toContain('parameters')
    expect(await goesOn('Such as {"name": "weather"', 1)).not.toContain('parameters')
  })
})
