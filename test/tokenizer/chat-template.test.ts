import { describe, expect, test } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import type { ChatMessage } from '../../src/tokenizer/chat-template.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { readJson } from './load.ts'

const tokenizer = readJson('test/fixtures/tokenizers/small-320/tokenizer.json')
const make = (chat_template: unknown, config: object = {}) =>
  createTokenizer({
    tokenizer,
    config: { bos_token: '<bos>', eos_token: { content: '<eos>' }, chat_template, ...config },
  })
const hi: ChatMessage[] = [{ role: 'user', content: 'hi' }]

describe('which template', () => {
  const list = [
    { name: 'default', template: 'plain' },
    { name: 'tool_use', template: 'tools: {{ tools | length }}' },
    { name: 'rag', template: 'rag' },
  ]

  test('a list: by name, and tool_use when there are tools', () => {
    const t = make(list)
    expect(t.chatTemplateNames).toEqual(['default', 'tool_use', 'rag'])
    expect(t.applyChatTemplate(hi)).toBe('plain')
    expect(t.applyChatTemplate(hi, { tools: [{}, {}] })).toBe('tools: 2')
    expect(t.applyChatTemplate(hi, { tools: [{}], template: 'rag' })).toBe('rag')
    expect(() => t.applyChatTemplate(hi, { template: 'x' })).toThrow(
      'There is no chat template "x"; this model has "default", "tool_use", "rag"',
    )
  })

  test('chat_template.jinja takes the place of the default', () => {
    const t = createTokenizer({ tokenizer, config: { chat_template: list }, chatTemplate: 'from the file' })
    expect(t.applyChatTemplate(hi)).toBe('from the file')
    expect(t.chatTemplate()).toBe('from the file')
    expect(t.chatTemplate('rag')).toBe('rag')
  })

  test('none is an error that says what to do', () => {
    const t = createTokenizer({ tokenizer })
    expect(t.hasChatTemplate).toBe(false)
    expect(() => t.applyChatTemplate(hi)).toThrow('This model has no chat template: give a plain text')
  })
})

describe('what a template sees', () => {
  const json = (expression: string, messages = hi, options = {}) =>
    JSON.parse(make(`{{ ${expression} | tojson }}`).applyChatTemplate(messages, options))

  test('special tokens; those that do not exist are undefined', () => {
    expect(json('[bos_token, eos_token, pad_token is defined, unk_token is defined]')).toEqual([
      '<bos>',
      '<eos>',
      false,
      false,
    ])
  })

  test('null content stays null, a key without a value is not there', () => {
    const messages = [{ role: 'assistant', content: null, name: undefined }]
    expect(json('[messages[0].content is none, messages[0].name is defined, messages[0]]', messages)).toEqual([
      true,
      false,
      { role: 'assistant', content: null },
    ])
  })

  test('tools are none without tools; variables and the generation prompt come through', () => {
    expect(json('[tools is none, documents is none, add_generation_prompt]')).toEqual([true, true, false])
    const options = {
      addGenerationPrompt: true,
      tools: [{ a: 1 }],
      variables: { enable_thinking: false, n: [1, null] },
    }
    expect(json('[tools, add_generation_prompt, enable_thinking, n]', hi, options)).toEqual([
      [{ a: 1 }],
      true,
      false,
      [1, null],
    ])
  })

  test('a variable may take any name, those of the engine too', () => {
    expect(json('[namespace, range]', hi, { variables: { namespace: 1, range: 2 } })).toEqual([1, 2])
  })

  test('range and the given time', () => {
    const options = { now: new Date(2026, 10, 2, 3, 4, 5) }
    expect(json('[range(3) | list, range(1, 4) | list, range(4, 0, -2) | list]')).toEqual([
      [0, 1, 2],
      [1, 2, 3],
      [4, 2],
    ])
    expect(json('strftime_now("%d %b %Y")', hi, options)).toBe('02 Nov 2026')
  })
})

test('messages of the wrong shape are named', () => {
  const t = make('{{ messages }}')
  expect(() => t.applyChatTemplate('hi' as never)).toThrow(new OptionError('messages is "hi"; expected a list'))
  expect(() => t.applyChatTemplate([hi[0]!, 3 as never])).toThrow('messages[1] is 3; expected {role, content}')
  expect(() => t.applyChatTemplate([{ content: 'x' } as never])).toThrow(
    'messages[0].role is nothing; expected a string',
  )
})

test('ids of a conversation: the template writes the tokens, nothing is added', () => {
  const t = make('{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}', {
    add_bos_token: true,
  })
  expect(t.encodeChat(hi)).toEqual([0, ...t.encode('hi'), 1])
  expect(t.encodePrompt(t.applyChatTemplate(hi))).toEqual([0, ...t.encode('hi'), 1])
})
