/** The answers of a chat and the tools that they call, with a model that writes what it is told. */
import type { Completion } from 'latentkit'
import { describe, expect, test } from 'vitest'
import { type ChatAsks, ChatRun } from '../../src/engine/api/chat.ts'
import { readToolChoice, readTools } from '../../src/engine/api/tools.ts'
import type { ChatEvent, ChatResult, Conversation } from '../../src/engine/types/chat.ts'
import type { ChatOptions } from '../../src/engine/types/options/chat.ts'
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
