import { describe, expect, test } from 'vitest'
import { chatFormat, FORMAT_NAMES, type ForcedText, forcedText, type ToolDescription } from '../../src/formats/index.ts'

const weather: ToolDescription = {
  name: 'get_weather',
  description: 'Weather of a city',
  parameters: {
    type: 'object',
    properties: {
      city: { type: 'string' },
      days: { $ref: '#/$defs/count' },
      unit: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    },
    required: ['city'],
    $defs: { count: { type: 'integer', minimum: 1 } },
  },
}
const now: ToolDescription = { name: 'now' }

/** One answer that the data allows: the first call, with JSON values as given. */
function written(forced: ForcedText, json: string, parts: Record<string, string> = {}): string {
  const [call] = forced.calls
  if (!call) throw new Error('no calls')
  const begin = call.begin.map(piece => (typeof piece === 'string' ? piece : '0')).join('')
  const { arguments: args } = call
  const body =
    args.kind === 'json'
      ? json
      : args.parts
          .filter(part => part.name in parts)
          .map(part => `${part.begin}${parts[part.name]}${part.end}`)
          .join(args.between)
  return `${forced.open}${begin}${body}${call.end}${forced.close}`
}

describe('what a constrained decoder is to force', () => {
  test.each(FORMAT_NAMES)('%s: a required call is the text that the family writes', name => {
    const forced = forcedText(chatFormat(name), [weather, now], { choice: 'required' })
    expect(forced).toMatchObject({ free: false, min: 1, max: null, first: 0 })
    const python = name === 'minicpm3' || name === 'lfm2'
    expect(
      written(forced as ForcedText, '{"city": "Bonn", "days": 2}', { city: python ? '"Bonn"' : 'Bonn', days: '2' }),
    ).toMatchSnapshot()
  })

  test.each(FORMAT_NAMES)('%s: auto may answer in words', name => {
    const forced = forcedText(chatFormat(name), [weather], { choice: 'auto' })
    const begin = `${forced?.open}${String(forced?.calls[0]?.begin[0])}`.trimStart()
    const leads = { 'llama-3': ['<|python_tag|>'], 'glm-4': [] }[name as string] ?? null
    expect(forced).toMatchObject({ free: true, min: 0, leads })
    expect(forced?.triggers).toHaveLength(1)
    expect(forced?.triggers.every(trigger => trigger !== '' && begin.startsWith(trigger))).toBe(true)
  })

  test('gpt-oss: with auto a message is a call by its recipient, and no other is', () => {
    const triggers = forcedText(chatFormat('gpt-oss'), [weather], { choice: 'auto' })?.triggers ?? []
    const begun = (text: string) => triggers.some(trigger => text.includes(trigger))
    expect(begun('<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{}')).toBe(true)
    for (const channel of ['analysis', 'final', 'commentary'])
      expect(begun(`<|channel|>${channel}<|message|>Hm.`), channel).toBe(false)
  })

  test('one call, a named tool, none', () => {
    const format = chatFormat('hermes')
    expect(forcedText(format, [weather, now], { choice: 'required', parallel: false })?.max).toBe(1)
    expect(forcedText(format, [weather, now], { choice: { name: 'now' } })?.calls.map(call => call.name)).toEqual([
      'now',
    ])
    expect(forcedText(format, [weather], { choice: 'none' })).toBeNull()
    expect(forcedText(format, [], { choice: 'required' })).toBeNull()
    expect(() => forcedText(format, [weather, now], { choice: { name: 'get_wether' } })).toThrow(
      'did you mean "get_weather"?',
    )
  })

  test('arguments that are written one by one: texts as they are, the rest as JSON with its definitions', () => {
    const forced = forcedText(chatFormat('glm-4.7'), [weather], { choice: 'required' })
    const args = forced?.calls[0]?.arguments
    if (args?.kind !== 'parts') throw new Error('expected parts')
    expect(args.parts.map(({ name, required, value }) => [name, required, value.kind])).toEqual([
      ['city', true, 'text'],
      ['days', false, 'json'],
      ['unit', false, 'json'],
    ])
    expect(args.parts[1]?.value.schema).toEqual({
      $ref: '#/$defs/count',
      $defs: { count: { type: 'integer', minimum: 1 } },
    })
  })

  test("a name with the characters of a replacement pattern stays as it is: '$&'", () => {
    const forced = forcedText(chatFormat('kimi-k2'), [{ name: "a$&b$'" }], { choice: 'required' })
    expect(forced?.calls[0]?.begin).toEqual([
      "<|tool_call_begin|>functions.a$&b$':",
      { counts: true },
      '<|tool_call_argument_begin|>',
    ])
  })
})
