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

describe('content that is no text', () => {
  const parts = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Hello' },
        { type: 'text', text: " it's" },
      ],
    },
  ]

  test('reaches the template as a list: what reads parts gets them, what adds a text raises, what prints prints', () => {
    const reads = make('{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}')
    expect(reads.applyChatTemplate(parts)).toBe("Hello it's")
    expect(() => make("{{ 'User: ' + messages[0].content }}").applyChatTemplate(parts)).toThrow(
      'The chat template "default" cannot be rendered: line 1: can only concatenate str (not "list") to str',
    )
    const prints = make('{{ messages[0].content }}')
    expect(prints.applyChatTemplate(parts)).toBe(
      `[{'type': 'text', 'text': 'Hello'}, {'type': 'text', 'text': " it's"}]`,
    )
  })

  test('is refused for a prompt where the template would print the list', () => {
    const prints = make('{{ messages[0].content | trim }}')
    expect(() => prints.encodeChat(parts)).toThrow(OptionError)
    expect(() => prints.encodeChat(parts)).toThrow(
      'messages[0].content is a list of parts, but the chat template takes texts',
    )
    expect(make('{{ messages[0].content[0].text }}').encodeChat(parts)).toEqual(make('').encode('Hello'))
  })

  test.each([
    [3, 'messages[0].content is 3; expected a text, null, or a list of parts'],
    [{ text: 'x' }, 'messages[0].content is an object; expected a text, null, or a list of parts'],
    [[], 'messages[0].content is an empty list; give a text, or parts like {type, text}'],
    [['x'], 'messages[0].content[0] is "x"; expected an object like {type, text}'],
    [[null], 'messages[0].content[0] is null; expected an object like {type, text}'],
  ])('%j is an OptionError', (content, message) => {
    expect(() => make('x').applyChatTemplate([{ role: 'user', content } as never])).toThrow(new OptionError(message))
  })
})

describe('continueFinalMessage', () => {
  const chatml = make(
    '{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</>\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}',
  )
  const plain = make('{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}')
  const begun = (content: unknown) => [hi[0]!, { role: 'assistant', content } as ChatMessage]
  const go = { continueFinalMessage: true }

  test('leaves the last message open, with its blanks where the template keeps them', () => {
    expect(plain.applyChatTemplate(begun('one, two, '), go)).toBe('<user>hi</><assistant>one, two, ')
    expect(chatml.applyChatTemplate(begun('one, two, '), go)).toBe('<user>hi</>\n<assistant>one, two,')
    expect(chatml.applyChatTemplate(begun('one'), go)).toBe('<user>hi</>\n<assistant>one')
    expect(chatml.encodeChat(begun('one'), go)).toEqual(chatml.encode('<user>hi</>\n<assistant>one'))
  })

  test('goes on behind the last part with a text', () => {
    const t = make('{% for m in messages %}[{% for p in m.content %}{{ p.text }}{% endfor %}]{% endfor %}')
    const messages = [
      { role: 'assistant', content: [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }, { type: 'image' }] },
    ]
    expect(t.applyChatTemplate(messages, go)).toBe('[ab')
  })

  test('does not change the messages it is given', () => {
    const messages = begun('one')
    chatml.applyChatTemplate(messages, go)
    expect(messages[1]!.content).toBe('one')
  })

  test.each([
    ['with addGenerationPrompt', begun('x'), { ...go, addGenerationPrompt: true }, 'give one of them'],
    ['of nothing', [], go, 'there is no message to continue'],
    ['of a message without content', begun(null), go, 'the last message has no "content" to continue'],
    ['of parts without text', begun([{ type: 'image' }]), go, 'no part with a text'],
  ])('%s is an OptionError', (_, messages, options, message) => {
    expect(() => plain.applyChatTemplate(messages, options)).toThrow(OptionError)
    expect(() => plain.applyChatTemplate(messages, options)).toThrow(message)
  })

  test('is an error where the template does not show the message as it is', () => {
    const hides = make("{% for m in messages %}{{ m.role }}{{ m.content.split('</think>')[-1] }}{% endfor %}")
    expect(() => hides.applyChatTemplate(begun('<think>x</think>y'), go)).toThrow(
      'does not appear in the text as it is',
    )
    expect(() => make('{{ messages[0].role }}').applyChatTemplate(begun('y'), go)).toThrow(
      'does not use the content of messages',
    )
  })
})
