/** What users of other engines complain of, by its number in docs/tools.md. */
import { describe, expect, test } from 'vitest'
import { chatFormat, FORMAT_NAMES, forcedText } from '../../src/formats/index.ts'
import { type ConversationMessage, textOf } from '../../src/formats/messages.ts'
import type { ReplyEvent } from '../../src/formats/read/events.ts'
import { readReply, replyReader } from '../../src/formats/read/reply.ts'
import { writeCalls } from '../../src/formats/table/write-calls.ts'
import { normalise } from '../../src/formats/template/normalise.ts'
import { probe } from '../../src/formats/template/probe.ts'
import { promptEnd } from '../../src/formats/template/prompt-end.ts'
import { TOOLS } from './answers.ts'
import { renderOf, templateText } from './templates.ts'

const CALLS = [
  { id: 'functions.get_weather:0', name: 'get_weather', arguments: { city: 'Zürich 😀', days: 2 } },
  { id: 'functions.now:1', name: 'now', arguments: {} },
]

function events(text: string, name: (typeof FORMAT_NAMES)[number], size = 1): ReplyEvent[] {
  const parser = replyReader({ format: chatFormat(name), tools: TOOLS })
  const all: ReplyEvent[] = []
  for (let at = 0; at < text.length; at += size) all.push(...parser.feed(text.slice(at, at + size)))
  all.push(...parser.finish())
  return all
}

describe.each(FORMAT_NAMES)('%s', name => {
  const format = chatFormat(name)
  const text = writeCalls(format, CALLS)

  test('1: arguments that stream are JSON, and the first event of a call has its name and id', () => {
    const all = events(text, name)
    for (const [index, call] of CALLS.entries()) {
      const own = all.filter(event => 'index' in event && event.index === index)
      expect(own[0]).toMatchObject({ type: 'callStart', name: call.name })
      const json = own.map(event => (event.type === 'arguments' ? event.text : '')).join('')
      expect(JSON.parse(json)).toEqual(call.arguments)
      expect(own.at(-1)).toEqual({ type: 'callEnd', index, complete: true })
    }
  })

  test('2, 3: no part of a mark is ever content, in any cut', () => {
    for (const size of [1, 2, 3, 7]) {
      expect(events(text, name, size).filter(({ type }) => type === 'content')).toEqual([])
    }
  })

  test('5: two calls have two indices and two ids', () => {
    const { toolCalls } = readReply(text, { format, tools: TOOLS, callsBefore: 4 })
    expect(toolCalls.map(call => call.name)).toEqual(['get_weather', 'now'])
    expect(new Set(toolCalls.map(call => call.id)).size).toBe(2)
    if (name !== 'kimi-k2') expect(toolCalls.map(call => call.id)).toEqual(['call00004', 'call00005'])
  })

  test('4: a call that is cut off anywhere is valid, and its history renders again', () => {
    for (let end = 0; end <= text.length; end++) {
      const { toolCalls, content } = readReply(text.slice(0, end), { format, tools: TOOLS })
      for (const call of toolCalls) expect(JSON.parse(call.json)).toEqual(call.arguments)
      if (end < text.length && toolCalls.length === 2) continue
      expect(content.length).toBeLessThanOrEqual(end)
    }
  })

  test('2, 4: where only calls may come, one that is cut off anywhere leaves no content', () => {
    for (let end = 0; end <= text.length; end++) {
      expect(readReply(text.slice(0, end), { format, tools: TOOLS, onlyCalls: true }).content).toBe('')
    }
  })

  test('8: reasoning, content and calls are apart, whether or not the prompt has begun the block', () => {
    const { begin, end } = format.reasoning
    for (const [before, prompt] of [
      [`${begin}\n`, 'none'],
      ['', 'open'],
    ] as const) {
      const options = { format, tools: TOOLS, prompt }
      expect(readReply(`${before}hm\n${end}\n\nYes.`, options)).toMatchObject({ reasoning: 'hm', content: 'Yes.' })
      const called = readReply(`${before}hm\n${end}\n\n${text}`, options)
      expect(called).toMatchObject({ reasoning: 'hm', content: '' })
      expect(called.toolCalls.map(call => call.name)).toEqual(['get_weather', 'now'])
      expect(readReply(`${before}never ends`, options)).toMatchObject({ reasoning: 'never ends', content: '' })
    }
  })

  test('13: JSON that answers and calls are told apart', () => {
    const answer = '{"city": "Bonn", "days": 2}'
    expect(readReply(answer, { format, tools: TOOLS })).toMatchObject({ content: answer, toolCalls: [] })
    expect(readReply(text, { format, tools: TOOLS, unwraps: false })).toMatchObject({ content: '' })
  })

  test('6, 7: one call, a named tool and none are in what is forced', () => {
    expect(forcedText(format, TOOLS, { choice: 'required', parallel: false })).toMatchObject({
      min: 1,
      max: 1,
      free: false,
    })
    expect(forcedText(format, TOOLS, { choice: { name: 'now' } })?.calls.map(call => call.name)).toEqual(['now'])
    expect(forcedText(format, TOOLS, { choice: 'none' })).toBeNull()
  })

  test('10: what is forced leaves reasoning free before it', () => {
    const { begin, end } = format.reasoning
    const next = format.channels?.next ?? ''
    expect(forcedText(format, TOOLS, { choice: 'required' })?.reasoning).toEqual({ begin, end: `${end}${next}` })
  })

  test('19: no half of a character in any event, whatever the cuts', () => {
    const { begin, end } = format.reasoning
    for (const size of [1, 2, 3]) {
      for (const event of events(`${begin}ab😀😀${end}😀 日本 👩‍👩‍👧`, name, size).concat(events(text, name, size))) {
        if ('text' in event) expect(event.text).not.toMatch(LONE)
      }
    }
  })

  test('25: a long argument streams', () => {
    const long = 'The quick brown fox. '.repeat(200)
    const written = writeCalls(format, [
      { id: 'functions.write_file:0', name: 'write_file', arguments: { path: 'x', text: long } },
    ])
    const parts = events(written, name, 5).filter(event => event.type === 'arguments')
    expect(parts.length).toBeGreaterThan(700)
  })
})

/** Half of a pair of surrogates. */
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

const THINKS = chatFormat('hermes')

describe('8: reasoning and content stay apart', () => {
  const read = (text: string, prompt: 'open' | 'closed' | 'none') => {
    const { reasoning, content } = readReply(text, { format: chatFormat('hermes'), prompt })
    return [reasoning, content]
  }
  test('prompts that end inside a block, after one, and in neither', () => {
    expect(read('hm\n</think>\n\nyes', 'open')).toEqual(['hm', 'yes'])
    expect(read('<think>\nhm\n</think>\n\nyes', 'open')).toEqual(['hm', 'yes'])
    expect(read('\n\nyes', 'closed')).toEqual(['', 'yes'])
    expect(read('<think>\nhm\n</think>\n\nyes', 'none')).toEqual(['hm', 'yes'])
    expect(read('  yes\n', 'none')).toEqual(['', '  yes\n'])
  })
  test('a second block, and one that never ends', () => {
    expect(read('a</think>\n<think>b</think>c', 'open')).toEqual(['a\n\nb', 'c'])
    expect(read('never ends', 'open')).toEqual(['never ends', ''])
    expect(read('a</think>b\n<think>c', 'open')).toEqual(['a\n\nc', 'b'])
  })
  test('R1 thinks without an opening mark where its template knows the end mark alone', () => {
    const template = templateText('ollama/deepseek-r1:8b')
    const prompt = renderOf(template)([{ role: 'user', content: 'x' }], { addGenerationPrompt: true })
    expect(promptEnd(prompt, THINKS)).toBe('none')
    expect(promptEnd(prompt, THINKS, { template, model: 'DeepSeek-R1-Distill-Qwen-7B' })).toBe('open')
    expect(promptEnd(prompt, THINKS, { template, model: 'LFM2.5-Instruct' })).toBe('none')
    expect(read('I see.</think>\n\nYes.', 'open')).toEqual(['I see.', 'Yes.'])
    expect(read('<think>\nI see.\n</think>\n\nYes.', 'open')).toEqual(['I see.', 'Yes.'])
  })

  test('the end of a prompt is read from the template', () => {
    const end = (name: string, variables: Record<string, unknown>) =>
      promptEnd(
        renderOf(templateText(name))([{ role: 'user', content: 'x' }], { addGenerationPrompt: true, variables }),
        THINKS,
      )
    expect(end('llama-cpp-python/GLM-4.7-Flash', {})).toBe('open')
    expect(end('llama-cpp-python/GLM-4.7-Flash', { enable_thinking: false })).toBe('closed')
    expect(end('llama-cpp-python/Qwen-Qwen3-0.6B', {})).toBe('none')
    expect(end('llama-cpp-python/Qwen-Qwen3-0.6B', { enable_thinking: false })).toBe('closed')
    expect(end('llama-cpp-python/deepseek-ai-DeepSeek-V3.1', { thinking: true })).toBe('open')
    expect(end('llama-cpp-python/deepseek-ai-DeepSeek-V3.1', {})).toBe('closed')
  })
})

test('4: histories with calls that were cut off render by every family', () => {
  for (const [name, template] of [
    ['hermes', 'llama-cpp-python/Qwen-Qwen3-0.6B'],
    ['deepseek-v3', 'ollama/deepseek-v3:671b'],
    ['glm-4.5', 'llama-cpp-python/GLM-4.6'],
    ['llama-3', 'ollama/llama3.1:8b'],
    ['kimi-k2', 'llama-cpp-python/moonshotai-Kimi-K2'],
    ['gemma', 'ollama/gemma3:1b'],
  ] as const) {
    const format = chatFormat(name)
    const render = renderOf(templateText(template))
    const can = probe(render)
    const text = writeCalls(format, CALLS)
    for (let end = 0; end < text.length; end += 3) {
      const { content, toolCalls } = readReply(text.slice(0, end), { format, tools: TOOLS })
      const history: ConversationMessage[] = [
        { role: 'user', content: 'x' },
        { role: 'assistant', content, toolCalls },
        { role: 'user', content: 'go on' },
      ]
      const { messages, tools } = normalise(history, TOOLS, can, format)
      expect(render(messages, tools ? { tools } : {})).toContain('go on')
    }
  }
})

test('13: an answer may be JSON or calls where both were offered', () => {
  const options = { format: chatFormat('hermes'), tools: TOOLS }
  expect(readReply('{"answer": 1}', options)).toMatchObject({ content: '{"answer": 1}', toolCalls: [] })
  const generic = { format: chatFormat('generic'), tools: TOOLS }
  expect(readReply('{"response": "hi"}', generic)).toMatchObject({ content: 'hi' })
  // A schema of the caller's may have that key too.
  expect(readReply('{"response": "hi"}', { ...generic, unwraps: false })).toMatchObject({
    content: '{"response": "hi"}',
  })
})

test('21: what is no text is refused by name', () => {
  const image = [{ type: 'image_url', image_url: { url: 'data:' } }] as never
  expect(() => textOf(image, 'messages[0].content')).toThrow(
    'messages[0].content[0] is a part of type "image_url"; latentkit reads text only',
  )
  expect(() => textOf([{ type: 'text' }] as never, 'x')).toThrow('x[0] has no text')
  expect(
    textOf(
      [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
      'x',
    ),
  ).toBe('ab')
})
