import { describe, expect, it } from 'vitest'
import {
  chatFormat,
  FORMAT_NAMES,
  type ForcedText,
  forcedAnswer,
  forcedText,
  looseParameters,
  writesKey,
} from '../../src/formats/index.ts'
import { readReply } from '../../src/formats/read/reply.ts'
import { outputCheck } from '../../src/grammar/check.ts'
import { SchemaError } from '../../src/grammar/errors.ts'
import { forcedGrammar } from '../../src/grammar/forced-grammar.ts'
import { schemaGrammar } from '../../src/grammar/schema/grammar.ts'
import { readingOf } from '../../src/grammar/thread/reading.ts'
import { readerOf, schemasOf } from '../../src/grammar/tool-schemas.ts'
import { DRAWS, drawText, tokenTexts } from './draw.ts'
import { randomOf } from './random.ts'
import { testLibrary } from './support.ts'

const { tokenizer, library, end, holds } = await testLibrary()
const split = (text: string) => tokenizer.splitAtSpecial(text)
const texts = tokenTexts(tokenizer)

const weather = {
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1, maximum: 9 } },
    required: ['city'],
    additionalProperties: false,
  },
}
const now = { name: 'now' }
/** Their calls have no mark. */
const BARE: readonly string[] = ['llama-3', 'glm-4']
/** An object with such a property looks like a promise to the linter. */
const THEN = 'then'

it.each(FORMAT_NAMES)('%s: what is read elsewhere is what would be read here, refusals included', name => {
  const bad = { name: 'bad', parameters: { type: 'object', properties: { x: { type: 'integer', multipleOf: 'x' } } } }
  for (const tools of [
    [weather, now],
    [weather, bad],
  ]) {
    const forced = forcedText(chatFormat(name), tools, { choice: 'required', parallel: true }) as ForcedText
    const schemas = schemasOf(forced, false)
    const read = readerOf(structuredClone(schemas), structuredClone(schemas.map(readingOf)))
    const here = resultOf(() => forcedGrammar(forced, { split }))
    expect(resultOf(() => forcedGrammar(forced, { split, read }))).toEqual(here)
    expect(here instanceof SchemaError).toBe(tools.includes(bad))
    for (const { json, alone } of schemas) {
      if (here instanceof SchemaError) continue
      const known = { source: { kind: 'json', text: '{}' }, paths: new Map() } as const
      const given = readerOf([{ json, alone }], [known])
      expect(given(JSON.parse(json), alone)).toBe(known)
    }
  }
})

function resultOf(write: () => unknown): unknown {
  try {
    return write()
  } catch (error) {
    return error
  }
}

/** The text of one call, as the data says. */
function callText(forced: ForcedText, name: string, given: Record<string, unknown>, number = 0): string {
  const call = forced.calls.find(one => one.name === name)
  if (call === undefined) throw new Error(name)
  const begin = call.begin.map(piece => (typeof piece === 'string' ? piece : String(number))).join('')
  const parts = call.arguments
  const middle =
    parts.kind === 'json'
      ? JSON.stringify(given)
      : parts.parts
          .filter(part => part.name in given)
          .map(
            part =>
              `${part.begin}${part.value.kind === 'text' ? given[part.name] : JSON.stringify(given[part.name])}${part.end}`,
          )
          .join(parts.between)
  return `${begin}${middle}${call.end}`
}

describe.each(FORMAT_NAMES)('forced calls of %s', name => {
  const format = chatFormat(name)
  const required = forcedText(format, [weather, now], { choice: 'required' }) as ForcedText
  const one = callText(required, 'get_weather', { city: 'Bonn', days: 2 })
  const other = callText(required, 'now', {}, 1)
  const { open, between, close } = required

  it('are one or several of the tools, and nothing else', () => {
    const source = forcedGrammar(required, { split })
    expect(holds(source, open + one + close)).toBe(true)
    expect(holds(source, open + one + between + other + close)).toBe(true)
    expect(holds(source, '')).toBe(false)
    expect(holds(source, 'Hello')).toBe(false)
    expect(holds(source, open + one.replace('get_weather', 'get_wether') + close)).toBe(false)
    expect(holds(source, open + callText(required, 'get_weather', { city: 'Bonn', days: 12 }) + close)).toBe(false)
    expect(holds(source, open + callText(required, 'get_weather', { days: 2 }) + close)).toBe(false)
  })

  it('are one alone, or of one tool, where it is said', () => {
    const single = forcedText(format, [weather, now], { choice: 'required', parallel: false }) as ForcedText
    const source = forcedGrammar(single, { split })
    expect(holds(source, open + one + close)).toBe(true)
    expect(holds(source, open + one + between + other + close)).toBe(false)
    const named = forcedText(format, [weather, now], { choice: { name: 'now' } }) as ForcedText
    expect(holds(forcedGrammar(named, { split }), open + callText(required, 'now', {}) + close)).toBe(true)
    expect(holds(forcedGrammar(named, { split }), open + one + close)).toBe(false)
  })

  it('may follow free text, or not come at all', () => {
    const free = forcedText(format, [weather, now], { choice: 'auto' })
    if (!free) throw new Error('nothing is forced')
    const source = forcedGrammar(free, { split })
    const [trigger = ''] = free.triggers
    expect(holds(source, 'It is warm, I think <b>.')).toBe(true)
    expect(holds(source, `One moment. ${(open + one + close).trimStart()}`)).toBe(true)
    // Where calls have no mark, they begin the answer.
    expect(holds(source, `One moment. ${trigger}nonsense`)).toBe(BARE.includes(name))
  })

  it('hold what follows their mark, whatever stands before it', () => {
    const free = forcedText(format, [weather, now], { choice: 'auto' })
    if (!free) throw new Error('nothing is forced')
    const source = forcedGrammar(free, { split, triggered: true })
    const calls = (open + one + between + other + close).trimStart()
    expect(holds(source, calls)).toBe(true)
    expect(holds(source, `. ${calls}`)).toBe(!BARE.includes(name))
    expect(holds(source, calls.replace('get_weather', 'get_wether'))).toBe(false)
    expect(holds(source, 'It is warm.')).toBe(false)
  })

  it('may follow reasoning', () => {
    const { reasoning } = required
    if (reasoning.end === '') return
    const inside = forcedGrammar(required, { split, reasoning: true })
    expect(holds(inside, `Let me see.${reasoning.end}\n${(open + one + close).trimStart()}`)).toBe(true)
    expect(holds(inside, `Let me see.${reasoning.end}\nHello`)).toBe(false)
    if (reasoning.begin === '') return
    const before = forcedGrammar(required, { split })
    const thought = `${reasoning.begin}Let me see.${reasoning.end}`
    expect(holds(before, `${thought}\n${(open + one + close).trimStart()}`)).toBe(true)
  })

  it('end, however contrary the draws are', () => {
    const random = randomOf(7)
    const single = forcedText(format, [weather, now], { choice: 'required', parallel: false }) as ForcedText
    const grammar = library.compile(forcedGrammar(single, { split }))
    for (const draw of DRAWS.slice(0, 2)) {
      const drawn = drawText({ library, end, texts }, grammar, random, draw, 20, 150)
      expect(drawn.text.includes('get_weather') || drawn.text.includes('now') || !drawn.finished).toBe(true)
    }
  })
})

it('calls of Kimi are numbered over the whole conversation', () => {
  const forced = forcedText(chatFormat('kimi-k2'), [weather, now], { choice: 'required', callsBefore: 9 }) as ForcedText
  const source = forcedGrammar(forced, { split })
  const text = (...numbers: number[]) =>
    forced.open + numbers.map(number => callText(forced, 'now', {}, number)).join(forced.between) + forced.close
  expect(holds(source, text(9))).toBe(true)
  expect(holds(source, text(9, 10, 11))).toBe(true)
  expect(holds(source, text(0))).toBe(false)
  expect(holds(source, text(9, 9))).toBe(false)
  expect(holds(source, text(9, 11))).toBe(false)
})

it.each(['hermes', 'qwen3-coder'] as const)('40 tools with long texts are no work: %s', name => {
  const properties = {
    a: { type: 'string', maxLength: 100_000 },
    b: { type: 'string', minLength: 2, maxLength: 100_000 },
    c: { type: 'string', pattern: '^[a-z]+$' },
    d: { enum: ['x', 'y'] },
  }
  const tools = Array.from({ length: 40 }, (_, i) => ({
    name: `tool_${i}`,
    parameters: { type: 'object', properties, required: ['a', 'b', 'c', 'd'], additionalProperties: false },
  }))
  const forced = forcedText(chatFormat(name), tools, { choice: 'required' }) as ForcedText
  const source = forcedGrammar(forced, { split })
  const text = (given: object) =>
    forced.open + callText(forced, 'tool_7', { a: '', b: 'bb', c: 'ab', d: 'x', ...given }) + forced.close
  expect(holds(source, text({ b: 'word '.repeat(50) }))).toBe(true)
  expect(holds(source, text({ b: 'b' }))).toBe(false)
  expect(holds(source, text({ b: 'bb', c: 'A' }))).toBe(false)
  expect(holds(source, text({ b: 'bb', d: 'z' }))).toBe(false)
})

it.each(['glm-4.5', 'qwen3-coder', 'gemma-4'] as const)(
  '%s: texts as they are fit a format, a pattern beside it, and what a pattern looks for ahead',
  name => {
    const properties = {
      mail: { type: 'string', format: 'email' },
      day: { type: 'string', format: 'date', pattern: '^20' },
      code: { type: 'string', pattern: '^(?!tmp)(?=.*\\d)[a-z0-9]+$' },
    }
    const required = Object.keys(properties)
    const tool = { name: 'send', parameters: { type: 'object', properties, required, additionalProperties: false } }
    const forced = forcedText(chatFormat(name), [tool], { choice: 'required' }) as ForcedText
    const source = forcedGrammar(forced, { split })
    const text = (given: object) =>
      forced.open +
      callText(forced, 'send', { mail: 'a/b@example.org', day: '2026-11-30', code: 'ab1', ...given }) +
      forced.close
    expect(holds(source, text({}))).toBe(true)
    for (const bad of [{ mail: 'nobody' }, { day: '1999-11-30' }, { day: '20 days' }, { code: 'tmp1' }, { code: 'ab' }])
      expect(holds(source, text(bad)), JSON.stringify(bad)).toBe(false)
  },
)

it.each(['glm-4.5', 'qwen3-coder', 'gemma-4'] as const)('%s: texts as they are hold what references say', name => {
  const $defs = { unit: { type: 'string', enum: ['C', 'F'] }, word: { type: 'string', pattern: '^[a-z]+$' } }
  const properties = {
    unit: { $ref: '#/$defs/unit' },
    kind: { anyOf: [{ const: 'now' }, { enum: ['then'] }] },
    word: { allOf: [{ $ref: '#/$defs/word' }, { maxLength: 4 }], description: 'A word' },
  }
  const parameters = { type: 'object', properties, required: Object.keys(properties), $defs }
  const forced = forcedText(chatFormat(name), [{ name: 'set', parameters }], { choice: 'required' }) as ForcedText
  const source = forcedGrammar(forced, { split })
  const text = (given: object) =>
    forced.open + callText(forced, 'set', { unit: 'C', kind: 'then', word: 'warm', ...given }) + forced.close
  expect(holds(source, text({}))).toBe(true)
  for (const bad of [{ unit: 'K' }, { kind: 'once' }, { word: 'Warm' }, { word: 'warmer' }])
    expect(holds(source, text(bad)), JSON.stringify(bad)).toBe(false)
})

const APART_NAMES = ['glm-4.5', 'qwen3-coder', 'gemma-4', 'deepseek-v3.2'] as const

it.each(APART_NAMES)('%s: texts as they are hold choices, opposites and conditions', name => {
  const properties = {
    either: { type: 'string', anyOf: [{ pattern: '^a+$' }, { pattern: '^b+$', maxLength: 2 }, { const: 'x' }] },
    one: { type: 'string', oneOf: [{ pattern: '^a' }, { pattern: 'z$' }] },
    not: { type: 'string', not: { enum: ['no', 'never'] }, maxLength: 9 },
    so: { type: 'string', if: { pattern: '^q' }, [THEN]: { minLength: 3 }, else: { maxLength: 1 } },
    ends: { type: 'string', pattern: '^a$|^b$' },
    listed: { enum: ['aa', 'b'], minLength: 2 },
  }
  const good = { either: 'bb', one: 'ab', not: 'nor', so: 'quo', ends: 'b', listed: 'aa' }
  const parameters = { type: 'object', properties, required: Object.keys(properties) }
  const forced = forcedText(chatFormat(name), [{ name: 'set', parameters }], { choice: 'required' }) as ForcedText
  const source = forcedGrammar(forced, { split })
  const text = (given: object) => forced.open + callText(forced, 'set', { ...good, ...given }) + forced.close
  for (const other of [{}, { either: 'aaaa' }, { either: 'x' }, { one: 'bz' }, { so: 'w' }, { ends: 'a' }])
    expect(holds(source, text(other)), JSON.stringify(other)).toBe(true)
  const bad = [
    ...[{ either: 'bbb' }, { either: 'ab' }, { one: 'az' }, { one: 'b' }, { not: 'no' }, { not: 'never' }],
    ...[{ so: 'qu' }, { so: 'we' }, { ends: 'ab' }, { ends: 'a|b' }, { listed: 'b' }],
  ]
  for (const other of bad) expect(holds(source, text(other)), JSON.stringify(other)).toBe(false)
})

it.each(APART_NAMES)('%s: what holds parameters together is held, or refused by its keyword', name => {
  const whole = (parameters: object) =>
    forcedText(chatFormat(name), [{ name: 'set', parameters } as never], { choice: 'required' }) as ForcedText
  const $defs = { p: { type: 'object', properties: { a: { type: 'string' } }, required: ['a', 'more'] } }
  const list = { type: 'array', items: { $ref: '#' } }
  for (const parameters of [
    { $ref: '#/$defs/p', $defs },
    { type: 'object', allOf: [{ $ref: '#/$defs/p' }, { properties: { a: { pattern: '^x' } } }], $defs },
    { type: 'object', properties: { a: { type: 'string' }, list }, required: ['a', 'more'] },
  ]) {
    const forced = whole(parameters)
    const source = forcedGrammar(forced, { split })
    const text = (given: object) => forced.open + callText(forced, 'set', { ...given }) + forced.close
    expect(holds(source, text({ a: 'xy', more: 1 }))).toBe(true)
    expect(holds(source, text({ a: 'xy' }))).toBe(false)
    expect(holds(source, text({ a: 'y', more: 1 }))).toBe(!('allOf' in parameters))
    if (!('properties' in parameters)) continue
    expect(holds(source, text({ a: 'x', list: [{ a: 'y', more: 1 }], more: 1 }))).toBe(true)
    expect(holds(source, text({ a: 'x', list: [[]], more: 1 }))).toBe(false)
  }
  const a = { type: 'string' }
  for (const [keyword, more] of Object.entries({
    anyOf: [{ required: ['a'] }, { required: ['b'] }],
    minProperties: 1,
    dependentRequired: { a: ['b'] },
    propertyNames: { pattern: '^b' },
  })) {
    const forced = whole({ type: 'object', properties: { a, b: a }, [keyword]: more })
    expect(
      resultOf(() => forcedGrammar(forced, { split })),
      keyword,
    ).toMatchObject({ path: '/set', keyword })
  }
})

it('a name that a format cannot write is refused by name, and left out where the tool is held loosely', () => {
  const format = chatFormat('gemma-4')
  const properties = { 'filter[state]': { type: 'string' }, page: { type: 'integer' } }
  const written = (parameters: object) => {
    const forced = forcedText(format, [{ name: 'list', parameters } as never], { choice: 'required' }) as ForcedText
    return resultOf(() => forcedGrammar(forced, { split }))
  }
  const refused = { keyword: 'properties', message: expect.stringContaining('properties has "filter[state]", which') }
  expect(written({ type: 'object', properties })).toMatchObject(refused)
  const loose = (required: readonly string[]) => {
    const parameters = { type: 'object', properties, required }
    return looseParameters({ name: 'list', parameters }, name => writesKey(format, name))
  }
  expect(written(loose([]))).toMatchObject({ kind: 'lark' })
  expect(written(loose(['filter[state]']))).toMatchObject(refused)
})

it('choices in choices are refused before they fill the memory', () => {
  const nested = (depth: number): object =>
    depth === 0 ? { pattern: '^a' } : { oneOf: [nested(depth - 1), { pattern: 'z$' }] }
  const parameters = { type: 'object', properties: { a: { type: 'string', ...nested(40) } } }
  const forced = forcedText(chatFormat('glm-4.5'), [{ name: 'set', parameters }], { choice: 'required' }) as ForcedText
  expect(resultOf(() => forcedGrammar(forced, { split }))).toMatchObject({ path: 'set/a', keyword: 'oneOf' })
})

it('gemma-4: objects and lists are held in its own form, as far as that can say what their schema does', async () => {
  const T = {
    type: 'object',
    properties: { v: { enum: ['x', 2] }, kids: { type: 'array', items: { $ref: '#/$defs/T' } } },
  }
  const tags = { type: 'array', items: { enum: ['a', 1, null] }, minItems: 1, maxItems: 3 }
  const at = { type: 'object', properties: { city: { enum: ['Bonn'] }, days: { type: 'integer', maximum: 9 }, tags } }
  const of = { type: 'integer', enum: ['x', 7] }
  const properties = { at: { ...at, required: ['city'] }, tree: { $ref: '#/$defs/T' }, any: { type: 'object' }, of }
  const parameters = { type: 'object', properties, required: ['at'], $defs: { T: { ...T, required: ['v'] } } }
  const tool = { name: 'go', parameters }
  const options = { choice: 'required', parallel: false } as const
  const source = forcedGrammar(forcedText(chatFormat('gemma-4'), [tool], options) as ForcedText, { split })
  const text = (given: string) => `<|tool_call>call:go{${given.replaceAll("'", '<|"|>')}}<tool_call|>`
  for (const good of [
    "at:{city:'Bonn'}",
    "at:{city:'Bonn',days:7,tags:['a',1,null]},tree:{v:'x',kids:[{v:2},{v:2,kids:[]}]}",
    `at:{city:'Bonn'},any:{"a": [1]}`,
    "at:{city:'Bonn'},of:7",
  ])
    expect(holds(source, text(good)), good).toBe(true)
  for (const bad of [
    'at:{days:7}',
    "at:{city:'Bonn',tags:[]}",
    "at:{city:'Bonn',days:10}",
    `at:{"city":"Bonn"}`,
    "at:{city:'Bonn'},tree:{}",
    "at:{city:'Bonn'},of:'x'",
  ])
    expect(holds(source, text(bad)), bad).toBe(false)
  const check = await outputCheck(parameters)
  const grammar = library.compile(source)
  for (const draw of DRAWS) {
    const { text: drawn, finished } = drawText({ library, end, texts }, grammar, randomOf(5), draw)
    if (!finished) continue
    const [call] = readReply(drawn, { format: chatFormat('gemma-4'), tools: [tool] }).toolCalls
    expect(call).toMatchObject({ name: 'go', complete: true })
    check(call?.json ?? '')
  }
  grammar.dispose()
})

it.each(FORMAT_NAMES)('%s: arguments are an object, also where their schema does not say it', name => {
  const forced = forcedText(chatFormat(name), [{ name: 'set', parameters: {} }], { choice: 'required' }) as ForcedText
  const source = forcedGrammar(forced, { split })
  const [call] = forced.calls
  const text = (given: string) =>
    forced.open +
    call?.begin.map(piece => (typeof piece === 'string' ? piece : '0')).join('') +
    given +
    call?.end +
    forced.close
  expect(holds(source, text(call?.arguments.kind === 'json' ? '{"a": 1}' : ''))).toBe(true)
  for (const given of ['false', '6', '[]', 'null']) expect(holds(source, text(given)), given).toBe(false)
})

it('names the tool and the place of what cannot be held', () => {
  const tool = {
    name: 'add',
    parameters: { type: 'object', properties: { tags: { type: 'array', contains: {}, minContains: 20 } } },
  }
  const forced = forcedText(chatFormat('hermes'), [tool], { choice: 'required' }) as ForcedText
  try {
    forcedGrammar(forced, { split })
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(SchemaError)
    expect(error).toMatchObject({ path: '/add/properties/tags', keyword: 'contains' })
  }
})

it('holds distinct items, and refuses those of open values beside an answer', () => {
  const forced = (items: unknown) => {
    const tags = { type: 'array', items, uniqueItems: true }
    const tool = { name: 'add', parameters: { type: 'object', properties: { tags }, required: ['tags'] } }
    return forcedGrammar(forcedText(chatFormat('hermes'), [tool], { choice: 'required' }) as ForcedText, { split })
  }
  const call = (tags: string) => `<tool_call>\n{"name": "add", "arguments": {"tags":${tags}}}\n</tool_call>`
  expect(holds(forced({ enum: ['a', 'b'] }), call('["a","b"]'))).toBe(true)
  expect(holds(forced({ enum: ['a', 'b'] }), call('["a","a"]'))).toBe(false)
  expect(holds(forced({ type: 'string' }), call('["x","y"]'))).toBe(true)
  expect(holds(forced({ type: 'string' }), call('["x","x"]'))).toBe(false)
  const otherwise = schemaGrammar({ type: 'array', items: { type: 'string' }, uniqueItems: true }, true).source
  const auto = forcedText(chatFormat('hermes'), [{ name: 'add' }], { choice: 'required' }) as ForcedText
  expect(() => forcedGrammar(auto, { split, otherwise })).toThrow(
    /uniqueItems cannot be held in an answer beside tools/,
  )
})

describe.each(['hermes', 'deepseek-v3', 'kimi-k2', 'llama-3', 'generic'] as const)(
  'lists of distinct items in %s',
  name => {
    const parameters = {
      type: 'object',
      properties: { tags: { type: 'array', items: { type: 'string' }, uniqueItems: true } },
      required: ['tags'],
    }
    const tools = [{ name: 'tag', parameters }, weather]
    const required = forcedText(chatFormat(name), tools, { choice: 'required' }) as ForcedText
    const { open, between, close } = required
    const source = forcedGrammar(required, { split })

    it('are held in each call', () => {
      const distinct = (i: number) => callText(required, 'tag', { tags: ['a', 'b', 'c'] }, i)
      const same = (i: number) => callText(required, 'tag', { tags: ['a', 'b', 'a'] }, i)
      const other = callText(required, 'get_weather', { city: '["a", "a"]' }, 1)
      expect(holds(source, open + distinct(0) + close)).toBe(true)
      expect(holds(source, open + same(0) + close)).toBe(false)
      expect(holds(source, open + distinct(0) + between + distinct(1) + close)).toBe(true)
      expect(holds(source, open + distinct(0) + between + same(1) + close)).toBe(false)
      expect(holds(source, open + distinct(0) + between + other + between + same(2) + close)).toBe(false)
      expect(holds(source, open + distinct(0) + between + other + close)).toBe(true)
    })

    it('are held after reasoning that quotes a call', () => {
      const same = callText(required, 'tag', { tags: ['a', 'a'] })
      const distinct = callText(required, 'tag', { tags: ['a', 'b'] })
      const { begin, end } = required.reasoning
      const quoted = `${begin}as in ${distinct.slice(0, distinct.lastIndexOf('"'))}${end}`
      expect(holds(source, `${quoted}${open}${distinct}${close}`)).toBe(true)
      expect(holds(source, `${quoted}${open}${same}${close}`)).toBe(false)
    })
  },
)

const APART = FORMAT_NAMES.filter(name => chatFormat(name).calls.text.argument !== undefined)

describe.each(APART)('lists of distinct items in %s, whose arguments stand apart', name => {
  const tags = { type: 'array', items: { type: 'string' }, uniqueItems: true }
  const one = { type: 'object', properties: { tags }, required: ['tags'] }
  const either = { anyOf: [{ type: 'integer' }, { type: 'object', properties: { tags }, required: ['tags'] }] }
  const properties = { note: { type: 'string' }, either, tags, plain: { ...tags, uniqueItems: false } }
  const tools = [
    { name: 'mark', parameters: { type: 'object', properties, required: ['tags'] } },
    { name: 'list', parameters: { ...one, properties: { tags: { ...tags, uniqueItems: false } } } },
  ]
  const forced = forcedText(chatFormat(name), tools, { choice: 'required' }) as ForcedText
  const { open, between, close } = forced
  const source = forcedGrammar(forced, { split })
  const same = ['a', 'a']
  const good = ['a', 'b']
  const [first, other] = forced.calls
  const parts = first?.arguments.kind === 'parts' ? first.arguments.parts : []
  /** A note that looks as if an argument with a list had begun, where that is no mark of the vocabulary. */
  const note = `x ${parts.find(part => part.name === 'tags')?.begin.trim()} ["a", "a"]`

  type Case = readonly [string, object, object]
  const cases: readonly Case[] = [
    ['one list', { tags: good }, { tags: same }],
    ['after a text', { note: 'a, a', tags: good }, { note: 'a, a', tags: same }],
    ['after a number', { either: 12, tags: good }, { either: 12, tags: same }],
    ['in an object', { either: { tags: good }, tags: good }, { either: { tags: same }, tags: good }],
    ['before one that may repeat', { tags: good, plain: same }, { tags: same, plain: same }],
    ...(split(note).length === 1
      ? [['after a text that quotes', { note, tags: good }, { note, tags: same }] as Case]
      : []),
  ]

  it.each(cases)('are held: %s', (_, right, wrong) => {
    const text = (given: object, i = 0) => callText(forced, 'mark', { ...given }, i)
    expect(holds(source, open + text(right) + close)).toBe(true)
    expect(holds(source, open + text(wrong) + close)).toBe(false)
    const free = callText(forced, 'list', { tags: same }, 1)
    expect(holds(source, open + text(right) + between + free + between + text(right, 2) + close)).toBe(true)
    expect(holds(source, open + text(right) + between + free + between + text(wrong, 2) + close)).toBe(false)
  })

  it('are held in a tool whose name begins with that of another', () => {
    const parameters = { type: 'object', properties: { tags }, required: ['tags'] }
    const both = ['mark', 'market'].map(name => ({ name, parameters }))
    const forced = forcedText(chatFormat(name), both, { choice: 'required' }) as ForcedText
    const source = forcedGrammar(forced, { split })
    for (const tool of ['mark', 'market']) {
      expect(holds(source, open + callText(forced, tool, { tags: good }) + close)).toBe(true)
      expect(holds(source, open + callText(forced, tool, { tags: same }) + close)).toBe(false)
    }
  })

  it('are never written otherwise by a contrary model', () => {
    const grammar = library.compile(source)
    for (const draw of DRAWS) {
      const { text, finished } = drawText({ library, end, texts }, grammar, randomOf(3), draw)
      if (finished) expect(holds(source, text), text).toBe(true)
    }
    expect([first?.name, other?.name]).toEqual(['mark', 'list'])
    grammar.dispose()
  })
})

it('an answer in a channel of its own follows free reasoning, alone or in place of calls', () => {
  const format = chatFormat('gpt-oss')
  const lead = format.channels?.answer ?? ''
  const otherwise = schemaGrammar(
    { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
    true,
  ).source
  const { begin, end } = forcedAnswer(format).reasoning
  const thought = `${begin}It is {"a": 1}?${end}`
  const called = forcedText(format, [now], { choice: 'required' }) as ForcedText
  for (const forced of [forcedAnswer(format), called]) {
    const source = forcedGrammar(forced, { split, otherwise, lead })
    for (const before of ['', thought]) {
      expect(holds(source, `${before}${lead}{"a": 1}`)).toBe(true)
      expect(holds(source, `${before}${lead}Hello`)).toBe(false)
      expect(holds(source, `${before}${callText(called, 'now', {})}`)).toBe(forced === called)
    }
    expect(holds(source, '{"a": 1}')).toBe(false)
  }
})
