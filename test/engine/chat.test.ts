/** `session.chat` from end to end: what it reads, what comes of it, and what it costs. */
import { bundledModel, type ConversationMessage, Engine } from 'latentkit'
import { describe, expect, test } from 'vitest'
import { templateText } from '../formats/templates.ts'
import { CHAT_TEMPLATE } from './tales.ts'

describe('on the bundled model, with a template', () => {
  test('16: an answer that comes back as a message keeps its ids, so that all before it is cached', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
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

  test('16: so does one by a schema, also where it looks like a text that a format wraps', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
    await using session = engine.session()
    const response = { type: 'string', minLength: 20, maxLength: 40 }
    const schema = { type: 'object', properties: { response }, required: ['response'] }
    const options = { schema, format: 'generic', seed: 1, temperature: 1.5, maxTokens: 100 } as const
    const say = [{ role: 'user', content: 'Once upon a time' }] as const
    const { messages } = await session.chat(say, options)
    const before = session.tokens.length
    const { usage } = await session.chat([...say, ...messages, { role: 'user', content: 'Go on.' }], options)
    expect(usage.cachedTokens).toBeGreaterThanOrEqual(before - 1)
  })

  test('14: 40 tools with long texts delay neither the first token nor others', async () => {
    // 40 tools do not fit into the context, so only those are shown whole by which the template is probed.
    const shown = '{% if t.function.name[:5] == "tool_" %}{{ t.function.name }}{% else %}{{ t | tojson }}{% endif %}'
    const chatTemplate = `{% for t in tools or [] %}${shown} {% endfor %}${CHAT_TEMPLATE}`
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

  test('log-probabilities come with the events of their tokens, all in order', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
    await using session = engine.session()
    const city = { enum: ['Bonn', 'Rom'] }
    const parameters = { type: 'object', properties: { city }, required: ['city'], additionalProperties: false }
    const tools = { weather: { parameters } }
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
    const thinking = `${CHAT_TEMPLATE.replace('<assistant> {%', '<assistant> {# </think> #}{% if reasoning_effort == "low" %}(low){% endif %}<think>{%')}`
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
    const { text, tokens } = await engine.countChat(say, { reasoningEffort: 'low' })
    expect(text).toContain('(low)')
    const { usage } = await session.chat(say, { reasoningEffort: 'low', maxTokens: 0 })
    expect(usage.promptTokens).toBe(tokens)
    expect(tokens).toBeGreaterThan((await engine.countChat(say)).tokens)
  })

  test('an answer that was begun is continued', async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
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

  test.each([
    ['llama-cpp-python/GLM-4.6', '<think>Hm</think>\nOnce upon'],
    ['ollama/deepseek-r1:8b', '<｜Assistant｜>Once upon'],
    ['ollama/deepseek-v3:671b', '<｜Assistant｜><think>\nHm\n</think>\n\nOnce upon'],
  ])('an answer whose text has its reasoning is continued, as %s has such', async (name, end) => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: templateText(name) })
    const begun = { role: 'assistant', content: '<think>\nHm\n</think>\n\nOnce upon' } as const
    const { text } = await engine.countChat([{ role: 'user', content: 'Tell' }, begun], { continueFinalMessage: true })
    expect(text.endsWith(end)).toBe(true)
  })

  test('an answer that was begun inside reasoning goes on with it', async () => {
    const chatTemplate = `${CHAT_TEMPLATE}{# <think></think> #}`
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate })
    await using session = engine.session()
    const begun = [{ role: 'user', content: 'Tell' } as const, { role: 'assistant', content: '<think>Once' } as const]
    const options = { continueFinalMessage: true, thinkingBudget: 5, maxTokens: 30, seed: 1, format: 'hermes' } as const
    const { reasoning, content, messages } = await session.chat(begun, options)
    expect(reasoning).not.toBe('')
    expect(messages).toEqual([{ role: 'assistant', content, reasoning: `Once${reasoning}` }])
  })

  test("4: OpenAI's form is read, also of a call that was cut off", async () => {
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
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
    await using engine = await Engine.load(bundledModel(), { inline: true, chatTemplate: CHAT_TEMPLATE })
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
