import { describe, expect, it } from 'vitest'
import { chatFormat, FORMAT_NAMES, forcedText } from '../../src/formats/index.ts'
import { writeCalls } from '../../src/formats/table/write-calls.ts'
import { forcedGrammar } from '../../src/grammar/forced-grammar.ts'
import { prepareOutput } from '../../src/grammar/output.ts'
import { testLibrary } from './support.ts'

const { tokenizer, holds } = await testLibrary()
const split = (text: string) => tokenizer.splitAtSpecial(text)

const tools = [
  {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1, maximum: 9 } },
      required: ['city', 'days'],
      additionalProperties: false,
    },
  },
  { name: 'now' },
]
const schema = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { $ref: '#/$defs/age' } },
  required: ['name', 'age'],
  $defs: { age: { type: 'integer', minimum: 0 } },
}

describe.each(FORMAT_NAMES)('calls of %s, or an answer', name => {
  const format = chatFormat(name)
  const forced = forcedText(format, tools, { choice: 'required' })
  if (forced === null) throw new Error(name)
  const calls = writeCalls(format, [
    { id: 'functions.get_weather:0', name: 'get_weather', arguments: { city: 'Bonn', days: 2 } },
  ])

  it('13: both parse, and nothing else does', async () => {
    const { source } = await prepareOutput({ schema })
    const grammar = forcedGrammar(forced, { split, otherwise: source })
    expect(holds(grammar, calls)).toBe(true)
    expect(holds(grammar, '{"name": "Ann", "age": 7}')).toBe(true)
    expect(holds(grammar, '\n\n{"name": "Ann", "age": 7}')).toBe(true)
    expect(holds(grammar, '{"name": "Ann"}')).toBe(false)
    expect(holds(grammar, 'Hello')).toBe(false)
  })

  it('an answer may be an expression, choices or a grammar', async () => {
    const ways = [{ regex: 'a/b+' }, { choices: ['yes', 'no'] }, { grammar: 'start: WORD\nWORD: /[a-z]+/' }] as const
    for (const [i, text] of ['a/bb', 'no', 'abc'].entries()) {
      const { source } = await prepareOutput(ways[i] as never)
      const grammar = forcedGrammar(forced, { split, otherwise: source })
      expect(holds(grammar, text), text).toBe(true)
      expect(holds(grammar, calls), text).toBe(true)
      expect(holds(grammar, 'A b')).toBe(false)
    }
  })
})
