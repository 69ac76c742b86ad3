/** Texts that are brought to an end: from any place, a short ending is found, and what it gives validates. */
import { describe, expect, it, vi } from 'vitest'
import { chatFormat, type FormatName, forcedText } from '../../src/formats/index.ts'
import { readReply } from '../../src/formats/read/reply.ts'
import { outputCheck } from '../../src/grammar/check.ts'
import { EndingSearch } from '../../src/grammar/ending-search.ts'
import { forcedGrammar } from '../../src/grammar/forced-grammar.ts'
import { literalsOf } from '../../src/grammar/literals.ts'
import type { GrammarSource } from '../../src/grammar/matcher.ts'
import { schemaGrammar } from '../../src/grammar/schema/grammar.ts'
import { allows } from '../../src/grammar/vocabulary.ts'
import { TOOLS } from '../formats/answers.ts'
import { DRAWS, drawText, tokenTexts } from './draw.ts'
import { randomOf } from './random.ts'
import { testLibrary } from './support.ts'

const { library, tokenizer, end, ids } = await testLibrary()
const texts = tokenTexts(tokenizer)
const NEVER = 10_000

/** The text, brought to its end with this many tokens left. */
function ended(source: GrammarSource, begun: readonly number[], left: number): { text: string; tokens: number } | null {
  const grammar = library.compile(source)
  const matcher = grammar.matcher()
  const ending = grammar.ending()
  if (ending === undefined) throw new Error('nothing brings it to an end')
  const written = [...begun]
  expect(matcher.accept(begun)).toBe(begun.length)
  for (let rest = left; rest > 0; rest--) {
    const only = ending.next(matcher, rest)
    if (only?.includes(end) || matcher.stopped) return { text: tokenizer.decode(written), tokens: left - rest }
    // What the model would write: anything but an end.
    const mask = new Uint32Array(library.maskWords)
    matcher.mask(mask)
    const allowed = (like: RegExp) => texts.findIndex((text, id) => id !== end && like.test(text) && allows(mask, id))
    const id = only?.[0] ?? [/^[a-z ]+$/, /^[^\]}"]/, /./s].map(allowed).find(found => found >= 0) ?? -1
    if (id < 0 || matcher.accept([id]) === 0)
      throw new Error(`stuck with ${rest} left: ${tokenizer.decode(written)} ${id}`)
    written.push(id)
  }
  throw new Error(`no end: ${tokenizer.decode(written)}`)
}

const object = (properties: object, more: object = {}) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
})
const string = { type: 'string' }

describe('a text under a schema ends', () => {
  it.each<[string, object, string]>([
    ['in a string', object({ a: string }), '{"a": "and } so ] on'],
    ['in a list of strings', { type: 'array', items: string, minItems: 1 }, '["a", "b", "c'],
    ['in a list that must be longer', { type: 'array', items: string, minItems: 4 }, '["a'],
    ['in a name', { type: 'object', additionalProperties: { type: 'integer' } }, '{"some'],
    ['in an open object', { type: 'object' }, '{"a": [{"b": [[["c'],
    ['after an escape', object({ a: string }), '{"a": "x\\'],
    ['in a string that must be longer', object({ a: { type: 'string', minLength: 60 } }), '{"a": "x'],
    ['in a pattern', object({ a: { type: 'string', pattern: '^\\w+@\\w+$' } }), '{"a": "some'],
    ['in a pattern that may match anywhere', object({ a: { type: 'string', pattern: '\\.json$' } }), '{"a": "some'],
    ['in a pattern of any character', object({ a: { type: 'string', pattern: 'x.y' } }), '{"a": "some'],
    ['in a date', object({ a: { type: 'string', format: 'date-time' } }), '{"a": "20'],
    ['in an address', object({ a: { type: 'string', format: 'uri' } }), '{"a": "ht'],
    ['in a number', object({ a: { type: 'integer', multipleOf: 30 } }), '{"a": 13'],
    ['in a bounded number', object({ a: { type: 'number', minimum: 12345 } }), '{"a": 1'],
    ['in distinct items', { type: 'array', items: string, uniqueItems: true }, '["a", "b", "'],
    ['before much that is required', object({ a: string, b: object({ c: string, d: { type: 'integer' } }) }), '{'],
    [
      'in a recursion',
      {
        $defs: { node: object({ v: string, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }) },
        $ref: '#/$defs/node',
      },
      '{"v": "a", "next": {"v": "b',
    ],
  ])('%s', async (_, schema, begun) => {
    const { source } = schemaGrammar(schema, true)
    const result = ended(source, ids(begun), 130)
    expect(result).not.toBeNull()
    ;(await outputCheck(schema))(result?.text as string)
  })

  it('wherever a contrary model has led it', async () => {
    const schema = object({
      list: {
        type: 'array',
        items: { anyOf: [string, object({ deep: { type: 'array', items: { type: 'number' } } })] },
      },
      any: {},
    })
    const check = await outputCheck(schema)
    const { source } = schemaGrammar(schema, true)
    const grammar = library.compile(source)
    for (const [i, draw] of DRAWS.entries()) {
      const begun = drawText({ library, end, texts }, grammar, randomOf(i + 1), draw, NEVER, 40)
      if (begun.finished) continue
      const result = ended(source, begun.ids, 200)
      expect(result, begun.text).not.toBeNull()
      check(result?.text as string)
    }
  })
})

it.each(['(ab)+c[0-9]{3}', '[a-z}]+!', '.*foo', '\\w{3,}-\\w{2}'])('a text of the expression %s ends', pattern => {
  const result = ended({ kind: 'regex', text: pattern }, ids(pattern.startsWith('(') ? 'abab' : 'abcab'), 60)
  expect(result?.text).toMatch(new RegExp(`^(?:${pattern})$`))
})

describe('looks for an ending', () => {
  const schema = { type: 'array', items: object({ name: string, tags: { type: 'array', items: string } }) }
  const grammar = library.compile(schemaGrammar(schema, true).source)
  const drawn = [1, 2, 3, 4, 5, 6].map(
    seed => drawText({ library, end, texts }, grammar, randomOf(seed), 'uniform', NEVER, 400).ids,
  )
  const written = drawn.reduce((longest, one) => (one.length > longest.length ? one : longest))
  const at = (length: number) => {
    const matcher = grammar.matcher()
    matcher.accept(written.slice(0, length))
    return matcher
  }

  it('are few while it is far, and depend on the text alone', () => {
    const find = vi.spyOn(EndingSearch.prototype, 'find')
    const ending = grammar.ending()
    const matcher = at(0)
    for (const [i, id] of written.entries()) {
      const only = ending?.next(matcher, 2000 - i)
      expect(only).toBeUndefined()
      matcher.accept([id])
    }
    expect(find.mock.calls.length).toBeLessThan(10)
    find.mockRestore()
  })

  it('come to the same in a text that is continued, copied or cut', () => {
    const total = written.length
    expect(total).toBeGreaterThan(150)
    const ending = grammar.ending()
    const matcher = at(0)
    const free = []
    for (const [i, id] of written.entries()) {
      const only = ending?.next(matcher, total - i)
      free.push(only === undefined)
      if (i % 37 === 0) {
        expect(grammar.ending()?.next(at(i), total - i)).toEqual(only)
        expect(ending?.fork().next(at(i), total - i)).toEqual(only)
        const further = ending?.fork()
        const ahead = Math.min(i + 20, total - 1)
        further?.next(at(ahead), total - ahead)
        further?.cut(i)
        expect(further?.next(at(i), total - i)).toEqual(only)
      }
      matcher.accept([id])
    }
    expect(new Set(free)).toEqual(new Set([true, false]))
  })
})

it('what has to come may be longer than any ending', () => {
  const grammar = library.compile(schemaGrammar({ const: 'x'.repeat(200_000) }, true).source)
  const matcher = grammar.matcher()
  expect(matcher.accept(ids('"'))).toBe(1)
  const ending = grammar.ending()
  for (let left = 100; left > 84; left--) expect(ending?.next(matcher, left)).toBeUndefined()
})

it('what patterns spell out is found, and what only looks like a pattern is none', () => {
  expect(literalsOf('json', '{"pattern":"^[^@]+@home\\\\.de$"}')).toEqual(['@home.de'])
  expect(literalsOf('lark', 'start: /\\{"pattern":"[0-9]\\.[0-9]"\\}/')).toEqual([])
  expect(literalsOf('regex', 'ab\\\\x{999999}cd')).toEqual(['ab', 'cd'])
})

it.each<FormatName>(['hermes', 'qwen3-coder', 'glm-4.7', 'deepseek-v3', 'deepseek-v3.2', 'llama-3', 'generic'])(
  'calls of %s end, in the middle of an argument',
  name => {
    const format = chatFormat(name)
    const forced = forcedText(format, TOOLS, { choice: { name: 'write_file' }, parallel: false })
    if (forced === null) throw new Error('nothing is forced')
    const source = forcedGrammar(forced, { split: text => [text] })
    const [call] = forced.calls
    const begin = `${forced.open}${call?.begin.join('')}`
    const given = call?.arguments
    const inside = given?.kind === 'parts' ? given.parts[0]?.begin : '{"path": "'
    const result = ended(source, ids(`${begin}${inside}some long`), 200)
    const { toolCalls } = readReply(result?.text ?? '', { format, tools: TOOLS })
    expect(toolCalls.map(({ name, complete }) => [name, complete])).toEqual([['write_file', true]])
  },
)
