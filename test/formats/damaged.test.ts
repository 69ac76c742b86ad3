import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chatFormat, FORMAT_NAMES } from '../../src/formats/index.ts'
import { readReply } from '../../src/formats/read/reply.ts'
import type { FormatName } from '../../src/formats/table/format.ts'
import { TOOLS } from './answers.ts'
import { damagesOf } from './damages.ts'
import { FAMILIES } from './families.ts'
import { inParts } from './in-parts.ts'

/** What models write that is not as it should be: the text, then what is read of it. An incomplete call ends with `…`. */
type Case = readonly [text: string, content: string, calls: string, reasoning?: string]

const CASES: Readonly<Partial<Record<FormatName, readonly Case[]>>> = {
  hermes: [
    ['<tool_call>{"name": "now", "arguments": {}}', '', 'now{}'],
    [
      '<tool_call>\n{"name": "now", "arguments": {}}\n<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>',
      '',
      'now{} now{}',
    ],
    ['<tool_call>{"arguments": {"city": "x"}, "name": "get_weather"}</tool_call>', '', 'get_weather{"city":"x"}'],
    [
      '<tool_call>{"name": "get_weather", "arguments": "{\\"city\\": \\"😀\\"}"}</tool_call>',
      '',
      'get_weather{"city":"😀"}',
    ],
    [
      '<tool_call>{"name": "get_weather", "arguments": {"city": "x",}}</tool_call> done',
      'done',
      'get_weather{"city":"x"}',
    ],
    [
      '<tool_call>{"name": "get_weather", "arguments": {\'city\': True, "unit": None}}</tool_call>',
      '',
      'get_weather{"city":true,"unit":null}',
    ],
    [
      '<tool_call>{"name": "get_weather", "arguments": {"city": "a\nb\tc"}}</tool_call>',
      '',
      'get_weather{"city":"a\\nb\\tc"}',
    ],
    ['<tool_call>{"name": "get_weather", "arguments": {"city": }}</tool_call>ok', 'ok', 'get_weather{}…'],
    ['<tool_call>{"name": "get_weather", "arguments": {"city": oops, no}}</tool_call>ok', 'ok', 'get_weather{}…'],
    ['<tool_call>{"name": "get_weather", "arguments": {"city": </tool_call>ok', 'ok', 'get_weather{}…'],
    [
      `<tool_call>{"name": "get_weather", "arguments": {"city": 1.${'2'.repeat(500)}}}</tool_call>`,
      '',
      `get_weather{"city":1.${'2'.repeat(500)}}`,
    ],
    ['<tool_call>{"name": "now", "arguments": null}</tool_call>', '', 'now{}'],
    ['<tool_call>{"name": "now"}</tool_call>', '', 'now{}'],
    ['<tool_call>{"type": "function", "function": {"name": "now", "arguments": {}}}</tool_call>', '', 'now{}'],
    ['<tool_call>{"name": "now", "arguments": {}}}</tool_call>', '', 'now{}'],
    ['<tool_call>[{"name": "now", "arguments": {}}, {"name": "now", "arguments": {}}]</tool_call>', '', 'now{} now{}'],
    ['<tool_call>{"x": 1}</tool_call>', '<tool_call>{"x": 1}</tool_call>', ''],
    ['<tool_call> is a tag', '<tool_call> is a tag', ''],
    ['a <tool_call>b<tool_call>{"name": "now", "arguments": {}}</tool_call>', 'a <tool_call>b', 'now{}'],
    ['<<tool_call>', '<<tool_call>', ''],
    ['<tool_', '<tool_', ''],
    ['<tool_call>{"name": "get_weather", "arguments": {"city": "\\ud83d', '', 'get_weather{"city":""}…'],
    ['<tool_call>{"name": "get_weather", "arguments": {"city": "x", "da', '', 'get_weather{"city":"x"}…'],
    ['<tool_call>{"name": "get_weath', '<tool_call>{"name": "get_weath', ''],
    ['<think>a</think>b<think>c</think>', 'b<think>c</think>', '', 'a'],
    ['<think>a</think>\n<think>c</think>\nb', 'b', '', 'a\n\nc'],
    ['<think>never ends', '', '', 'never ends'],
    ['<think></think>x', 'x', ''],
    ['</think>x', 'x', ''],
    ['Say <think> or </think>.', 'Say <think> or </think>.', ''],
    ['<think>hm <tool_call>{"name": "now", "arguments": {}}</tool_call>', '', 'now{}', 'hm'],
    [
      '<think>the <tool_call>{"name": "bogus", "arguments": {}}</tool_call> tag</think>x',
      'x',
      '',
      'the <tool_call>{"name": "bogus", "arguments": {}}</tool_call> tag',
    ],
  ],
  'deepseek-v3': [
    ['<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}', '', 'now{}'],
    ['<｜tool▁calls▁begin｜>oops', '<｜tool▁calls▁begin｜>oops', ''],
    ['<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜>', '', 'now{}'],
    ['<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜>', '', 'now{}'],
    [
      '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{"city": "K',
      '',
      'get_weather{"city":"K"}…',
    ],
    [
      '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n```<｜tool▁call▁end｜>',
      '',
      'now{}…',
    ],
  ],
  'kimi-k2': [
    [
      '<|tool_calls_section_begin|><|tool_call_begin|>0<|tool_call_argument_begin|>{"city":"x"}<|tool_call_end|><|tool_calls_section_end|>',
      '',
      'get_weather{"city":"x"}',
    ],
    ['<|tool_call_begin|>now:0<|tool_call_argument_begin|>{}<|tool_call_end|>ok', 'ok', 'now{}'],
    [
      '<think>x<|tool_calls_section_begin|><|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{',
      '',
      'now{}…',
      'x',
    ],
  ],
  'glm-4.7': [
    ['<tool_call>now', '<tool_call>now', ''],
    ['<tool_call>now</tool_call>', '', 'now{}'],
    ['<tool_call>get_weather<arg_key>city</arg_key><arg_value>a</arg_val', '', 'get_weather{"city":"a</arg_val"}…'],
    [
      '<tool_call>get_weather<arg_key>days</arg_key><arg_value>soon</arg_value></tool_call>',
      '',
      'get_weather{"days":"soon"}…',
    ],
    ['<tool_call>get_weather\n{"city": "x"}\n</tool_call>', '', 'get_weather{"city":"x"}'],
    ['use <tool_call>name\nthen more', 'use <tool_call>name\nthen more', ''],
    [
      '<tool_call>other<arg_key>n</arg_key><arg_value>5</arg_value><arg_key>s</arg_key><arg_value>five</arg_value></tool_call>',
      '',
      'other{"n":5,"s":"five"}',
    ],
  ],
  'qwen3-coder': [
    ['<function=now>\n</function>', '', 'now{}'],
    ['<tool_call>\n<function=get_weather>\n<parameter=city>\nx', '', 'get_weather{"city":"x"}…'],
    [
      '<tool_call>\n<function=get_weather>\n<parameter=exact>\nTrue\n</parameter>\n</function>\n</tool_call>',
      '',
      'get_weather{"exact":true}',
    ],
    ['<tool_call> and <function=', '<tool_call> and <function=', ''],
  ],
  'deepseek-v3.2': [
    [
      '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="city" string="false">Bonn</｜DSML｜parameter>\n<｜DSML｜parameter name="days" string="false">two</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
      '',
      'get_weather{"city":"Bonn","days":"two"}…',
    ],
    [
      '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="city" string="false">Bonn</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
      '',
      'get_weather{"city":"Bonn"}',
    ],
    [
      '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n{"city": "x"}\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
      '',
      'get_weather{"city":"x"}',
    ],
    [
      '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="city" string="true">5</｜DSML｜parameter>',
      '',
      'get_weather{"city":"5"}…',
    ],
  ],
  'llama-3': [
    ['<|python_tag|>{"name": "now", "parameters": {}}', '', 'now{}'],
    ['{"name": "now", "parameters": {}}\nThanks', 'Thanks', 'now{}'],
    ['{"name": "Bob", "age": 3}', '{"name": "Bob", "age": 3}', ''],
    ['```json\n{"name": "now", "parameters": {}}\n```', '', 'now{}'],
    ['```json\n{"a": 1}\n```', '```json\n{"a": 1}\n```', ''],
    ['{"type": "function", "name": "now", "parameters": {}}', '', 'now{}'],
    ['<|python_tag|>import os', '<|python_tag|>import os', ''],
    ['{"name": "now", "param', '{"name": "now", "param', ''],
  ],
  minicpm3: [
    ['<|tool_call_start|>\n```python\nget_weather(city="x", days=2', '', 'get_weather{"city":"x","days":2}…'],
    ['<|tool_call_start|>\nget_weather("x", from_="y")\n<|tool_call_end|>', '', 'get_weather{"city":"x","from":"y"}'],
    ['<|tool_call_start|>hello<|tool_call_end|>', '<|tool_call_start|>hello<|tool_call_end|>', ''],
    [
      "<|tool_call_start|>```python\nget_weather(list=[(1, 'it\\'s'), None], exact=True)\n```<|tool_call_end|>x",
      'x',
      'get_weather{"list":[[1,"it\'s"],null],"exact":true}',
    ],
  ],
  generic: [
    ['{"tool_calls": [{"name": "now", "arguments": {}}]}\n{"response": "Done."}', 'Done.', 'now{}'],
    ['{"tool_calls": [{"name": "now", "arguments": {}}]} {"a": 1}', '{"a": 1}', 'now{}'],
    ['{"response": "cut o', 'cut o', ''],
    ['```json\n{"response": "a\\n\\u00fc😀"}\n```', 'a\nü😀', ''],
    ['{"answer": 1}', '{"answer": 1}', ''],
    ['{"tool_calls": []}', '', ''],
    ['{"tool_calls": {"name": "now", "arguments": {}}}', '', 'now{}'],
    ['{"name": "now", "arguments": {}}', '', 'now{}'],
    ['{"tool_calls": [{"name": "now", "arguments": {}}, {"name": "get_w', '', 'now{}'],
  ],
}

const flat = Object.entries(CASES).flatMap(([name, cases]) => cases.map(given => [name as FormatName, given] as const))

/** Reads the text whole and in every cut; calls as `NAME{…}`, with `…` where one is incomplete. */
function readEveryWay(name: FormatName, text: string, shown: 'json' | 'arguments') {
  const options = { format: chatFormat(name), tools: TOOLS }
  const reply = readReply(text, options)
  const ways: (number | readonly number[])[] = [1, 2, 3]
  for (let cut = 0; cut <= text.length; cut++) ways.push([cut])
  const expected = JSON.stringify(reply)
  expect(ways.find(way => JSON.stringify(inParts(text, options, way)) !== expected)).toBeUndefined()
  const calls = reply.toolCalls.map(call => {
    const given = shown === 'json' ? call.json : JSON.stringify(call.arguments)
    return `${call.name}${given}${call.complete ? '' : '…'}`
  })
  return { content: reply.content, calls: calls.join(' '), reasoning: reply.reasoning }
}

describe('damaged and misleading texts', () => {
  test.each(flat)('%s: %j', (name, [text, content, calls, reasoning = '']) => {
    expect(readEveryWay(name, text, 'json')).toEqual({ content, calls, reasoning })
  })
})

describe.each(FORMAT_NAMES)('%s, damaged as every family is', name => {
  test.each(damagesOf(name).map(damaged => [damaged.what, damaged] as const))('%s', (_, damaged) => {
    const { what, text, ...read } = damaged
    expect(readEveryWay(name, text, 'arguments'), what).toEqual(read)
  })
})

test.each(FAMILIES.map(family => [family.name, family.format] as const))(
  '%s has at least 20 damaged texts',
  (_, format) => {
    const texts = [...damagesOf(format).map(({ text }) => text), ...(CASES[format] ?? []).map(([text]) => text)]
    expect(new Set(texts).size).toBeGreaterThanOrEqual(20)
  },
)

/** Any order of the pieces that texts are made of. */
const pieces = [
  ...[
    '<think>',
    '</think>',
    '<tool_call>',
    '</tool_call>',
    '\n',
    ' ',
    'x',
    '{',
    '}',
    '"',
    ',',
    ':',
    '[',
    '😀',
    '\\',
    '```json\n',
  ],
  ...[
    '{"name": "now", "arguments": {}}',
    '{"name": "get_weather", "parameters": {"city": "a"}}',
    '{"response": "',
    'now(',
    ')',
  ],
  ...[
    '<function=now>',
    '<parameter=a>',
    '</parameter>',
    '</function>',
    '<arg_key>',
    '</arg_key>',
    '<arg_value>',
    '</arg_value>',
  ],
  ...[
    '<｜tool▁calls▁begin｜>',
    '<｜tool▁call▁begin｜>',
    '<｜tool▁sep｜>',
    '<｜tool▁call▁end｜>',
    '<｜tool▁calls▁end｜>',
    'now',
    'function',
  ],
  ...[
    '<|tool_call_start|>',
    '<|tool_call_end|>',
    '<|thought_start|>',
    '<|python_tag|>',
    '<|tool_calls_section_begin|>',
  ],
  ...['<|tool_call_begin|>', 'functions.now:0', '<|tool_call_argument_begin|>', '<|tool_calls_section_end|>'],
  ...[
    '<｜DSML｜function_calls>',
    '<｜DSML｜invoke name="',
    'now">',
    '</｜DSML｜invoke>',
    '<｜DSML｜parameter name="a" string="true">',
  ],
]

test.each(FORMAT_NAMES)('%s: any text gives the same in any cuts, and arguments that are JSON', name => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...pieces), { maxLength: 20 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      fc.constantFrom('open', 'closed', 'none'),
      (parts, cuts, prompt) => {
        const text = parts.join('')
        const options = { format: chatFormat(name), tools: TOOLS, prompt: prompt as 'open' }
        const reply = readReply(text, options)
        expect(inParts(text, options, 1)).toEqual(reply)
        expect(
          inParts(
            text,
            options,
            cuts.filter(cut => cut <= text.length),
          ),
        ).toEqual(reply)
        for (const { json } of reply.toolCalls) {
          const value: unknown = JSON.parse(json)
          expect(typeof value === 'object' && value !== null && !Array.isArray(value)).toBe(true)
        }
      },
    ),
    { numRuns: 400 },
  )
})
