/** `uniqueItems`: a writer that likes to repeat itself never writes an item twice, and never gets stuck. */
import { describe, expect, it } from 'vitest'
import { outputCheck } from '../../src/grammar/check.ts'
import { schemaGrammar } from '../../src/grammar/schema/grammar.ts'
import { allows } from '../../src/grammar/vocabulary.ts'
import { tokenTexts } from './draw.ts'
import { randomOf } from './random.ts'
import { testLibrary } from './support.ts'

const { tokenizer, library, ids, end } = await testLibrary()
const texts = tokenTexts(tokenizer)
const everyId = [...texts.keys()]

const list = (items: unknown, more: object = {}) => ({ type: 'array', items, uniqueItems: true, ...more })
const object = (properties: object, more: object = {}) => ({
  ...{ type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
  ...more,
})
const few = { type: 'string', pattern: '^[ab]{1,2}$' }

/** Schemas, and how many items their longest lists have where the values run out. */
const CASES: readonly (readonly [name: string, schema: object])[] = [
  ['texts', list({ type: 'string' }, { maxItems: 6 })],
  ['texts of few characters', list(few, { minItems: 6, maxItems: 6 })],
  ['a pattern with dead ends', list({ type: 'string', pattern: '^(a|ab|abc|b[0-9])$' }, { minItems: 5, maxItems: 8 })],
  ['whole numbers in a range', list({ type: 'integer', minimum: -3, maximum: 12 }, { minItems: 12, maxItems: 16 })],
  ['numbers', list({ type: 'number' }, { maxItems: 6 })],
  ['truths', list({ type: 'boolean' })],
  ['values of an enum, in any order', list({ enum: ['x', 'y', 1, 1.5, null, true, [1], { a: 1 }] }, { minItems: 8 })],
  ['objects', list(object({ name: few, on: { type: 'boolean' } }), { minItems: 5, maxItems: 12 })],
  [
    'objects with names in any order',
    list({ type: 'object', additionalProperties: { type: 'boolean' } }, { maxItems: 5 }),
  ],
  ['lists', list({ type: 'array', items: { type: 'boolean' }, maxItems: 2 }, { minItems: 6, maxItems: 7 })],
  ['distinct lists in distinct lists', list(list({ enum: [0, 1] }), { minItems: 4, maxItems: 5 })],
  ['anything', list(true, { maxItems: 5 })],
  [
    'lists after a first item',
    { type: 'array', prefixItems: [{ const: 1 }], items: { enum: [1, 2] }, uniqueItems: true },
  ],
  [
    'below properties, references and alternatives',
    {
      ...object({
        tags: { $ref: '#/$defs/tags' },
        same: { type: 'array', items: { const: 1 }, minItems: 3, maxItems: 3 },
      }),
      $defs: { tags: { anyOf: [{ type: 'null' }, list(few, { minItems: 2 })] } },
    },
  ],
]

/** Writes what has been written before, where the mask allows it. */
function repeat(schema: unknown, random: () => number): string | null {
  const matcher = library.compile(schemaGrammar(schema, true).source).matcher()
  const mask = new Uint32Array(library.maskWords)
  let text = ''
  for (let n = 0; n < 150 && !matcher.stopped; n++) {
    matcher.mask(mask)
    const may = (id: number) => allows(mask, id)
    if (may(end) && random() < 0.3) break
    const allowed = everyId.filter(id => id !== end && may(id))
    // What it wrote after the last commas, from there on again.
    const last = text.slice(text.lastIndexOf(',') + 1).trimStart()
    const alike = allowed.filter(id => {
      const one = texts[id] as string
      return one.trim() !== '' && (text.includes(`,${last}${one}`) || text.includes(`[${last}${one}`))
    })
    const short = allowed.filter(id => /^\s*[\]}"01ab,]+$/.test(texts[id] as string))
    const from = random() < 0.8 && alike.length > 0 ? alike : random() < 0.7 && short.length > 0 ? short : allowed
    const id = from[Math.floor(random() * from.length)] as number
    expect(matcher.accept([id])).toBe(1)
    text += texts[id]
  }
  const finished = matcher.accepting
  matcher.dispose()
  return finished ? Buffer.from(text, 'latin1').toString() : null
}

describe('uniqueItems', () => {
  it.each(CASES)('is held for %s', async (_, schema) => {
    const check = await outputCheck(schema)
    let finished = 0
    for (let seed = 1; seed <= 6; seed++) {
      const text = repeat(schema, randomOf(seed))
      if (text === null) continue
      finished++
      check(text)
    }
    expect(finished).toBeGreaterThan(1)
  })

  it.each([
    ['[1,1.0]', list({ type: 'number' })],
    ['[0,-0]', list({ type: 'number' })],
    ['[10,1e1]', list({ type: 'number' })],
    ['["é","é"]', list({ type: 'string' })],
    ['[{"a":1,"b":2},{"b":2,"a":1}]', list({ type: 'object', additionalProperties: { type: 'integer' } })],
    ['[[1],[2],[1]]', list({ type: 'array', items: { type: 'integer' } })],
    ['{"é":["a","a"]}', object({ é: list({ type: 'string' }) })],
  ])('%s has an item twice', (text, schema) => {
    const matcher = library.compile(schemaGrammar(schema, true).source).matcher()
    expect(matcher.accept(ids(text))).toBeLessThan(ids(text).length)
  })

  it.each([
    ['a list', (few: unknown) => few],
    ['a list that is demanded', (few: unknown) => object({ few })],
  ])('is refused where there are too few values: %s', (_, around) => {
    expect(() => schemaGrammar(around(list({ type: 'boolean' }, { minItems: 3 })), true)).toThrow(
      expect.objectContaining({ code: 'bad_schema', message: 'The schema is satisfied by no value' }),
    )
  })

  it('a list that may be left out is, where it has too few values', () => {
    const few = list({ type: 'boolean' }, { minItems: 3 })
    const matcher = library.compile(schemaGrammar(object({ few, a: true }, { required: ['a'] }), true).source).matcher()
    expect(matcher.validPrefix(ids('{"a":'))).toBeGreaterThan(0)
    expect(matcher.validPrefix(ids('{"few"'))).toBeLessThan(ids('{"few"').length)
  })

  it('takes guesses and takes them back', () => {
    const matcher = library.compile(schemaGrammar(list({ type: 'boolean' }), true).source).matcher()
    const all = ids('[true,false]')
    expect(matcher.accept(all)).toBe(all.length)
    matcher.rollback(all.length - ids('[true').length)
    const copy = matcher.fork()
    for (const one of [matcher, copy]) {
      const twice = ids(',true]')
      expect(one.accept(twice)).toBeLessThan(twice.length)
    }
  })
})
