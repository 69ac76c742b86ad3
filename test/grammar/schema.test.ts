import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { outputCheck } from '../../src/grammar/check.ts'
import { SchemaError } from '../../src/grammar/errors.ts'
import { schemaGrammar } from '../../src/grammar/schema/grammar.ts'
import { DRAWS, drawText, tokenTexts } from './draw.ts'
import { randomOf } from './random.ts'
import { testLibrary } from './support.ts'

const { tokenizer, library, ids, end, holds } = await testLibrary()
const texts = tokenTexts(tokenizer)
const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
const string = { type: 'string' }
const integer = { type: 'integer' }
/** An object with such a property looks like a promise to the linter. */
const THEN = 'then'

/** A schema, values that it allows, and values that it does not. */
type Case = readonly [name: string, schema: unknown, yes: readonly unknown[], no: readonly unknown[]]

const HELD: readonly Case[] = [
  [
    'pointers as ids, one of them twice',
    object({ a: { ...integer, $id: '#/properties/a' }, b: { ...string, $id: '#/properties/a' } }),
    [{ a: 1, b: 'x' }],
    [{ a: 'x' }],
  ],
  // What OpenAI's strict mode documents.
  ['type', { type: ['string', 'null'] }, ['a', null], [1, [], {}]],
  ['enum', { enum: ['a', 1, null, true, [1], { a: 1 }] }, ['a', 1, null, true, [1], { a: 1 }], ['b', 2, false, [2]]],
  ['const', { const: { a: [1, 'x'] } }, [{ a: [1, 'x'] }], [{ a: [1] }, {}]],
  ['required', object({ a: string, b: integer }, { required: ['b'] }), [{ b: 1 }, { a: 'x', b: 1 }], [{ a: 'x' }, {}]],
  ['additionalProperties', object({ a: string }, { additionalProperties: false }), [{}, { a: '' }], [{ b: 1 }]],
  ['additional values', { type: 'object', additionalProperties: integer }, [{}, { x: 1, y: 2 }], [{ x: 'a' }]],
  ['anyOf', { anyOf: [string, object({ a: integer })] }, ['x', { a: 1 }], [1, { a: 'x' }]],
  ['pattern', { type: 'string', pattern: '^@[a-z]{2,4}$' }, ['@ab', '@abcd'], ['ab', '@a', '@abcde']],
  ['pattern anywhere', { type: 'string', pattern: 'x[0-9]' }, ['ax1b', 'x1'], ['x', 'xa1']],
  ['minimum', { type: 'integer', minimum: -3, maximum: 12 }, [-3, 0, 12], [-4, 13, 120]],
  ['exclusive', { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }, [0.5, 0.01], [0, 1, -1, 1.5]],
  ['exclusive of one digit', { type: 'number', exclusiveMinimum: 0, maximum: 0.05 }, [0.05, 0.001], [0, 0.06, 1]],
  ['exclusive above one', { type: 'number', exclusiveMinimum: 5, exclusiveMaximum: 5.5 }, [5.01, 5.4], [5, 5.5]],
  ['exclusive below', { type: 'number', minimum: -0.5, exclusiveMaximum: 0 }, [-0.5, -0.1], [0, 1]],
  [
    'exclusive beside a narrower bound',
    { type: 'number', minimum: 0.2, exclusiveMinimum: 0, maximum: 0.5 },
    [0.2, 0.5],
    [0, 0.1, 0.6],
  ],
  ['multipleOf', { type: 'integer', multipleOf: 7 }, [0, 7, -14, 700], [1, 8]],
  ['multipleOf 0.25', { type: 'number', multipleOf: 0.25 }, [0.25, 1.75], [0.3]],
  ['minItems', { type: 'array', items: integer, minItems: 1, maxItems: 2 }, [[1], [1, 2]], [[], [1, 2, 3], ['a']]],
  ['format', { type: 'string', format: 'date' }, ['2024-02-29', '1999-12-31'], ['2023-02-29', '2024-13-01', 'x']],
  [
    '$ref',
    {
      $ref: '#/$defs/a',
      $defs: { a: object({ next: { anyOf: [{ $ref: '#/$defs/a' }, { type: 'null' }] } }, { required: ['next'] }) },
    },
    [{ next: null }, { next: { next: null } }],
    [{}, { next: 1 }],
  ],
  [
    'recursion by #',
    object({ children: { type: 'array', items: { $ref: '#' } } }),
    [{}, { children: [{ children: [] }] }],
    [{ children: [1] }],
  ],
  // And beyond.
  ['lengths', { type: 'string', minLength: 2, maxLength: 3 }, ['ab', 'äöü', '🙂🙂'], ['a', 'abcd']],
  ['a long maxLength', { type: 'string', maxLength: 100_000 }, ['a'.repeat(500)], []],
  [
    'allOf',
    { allOf: [object({ a: string }, { required: ['a'] }), object({ b: integer })] },
    [{ a: 'x' }, { a: 'x', b: 1 }],
    [{ b: 1 }, { a: 'x', b: 'y' }],
  ],
  [
    'oneOf by a property',
    {
      oneOf: [
        object({ k: { const: 'a' }, x: integer }, { required: ['k'] }),
        object({ k: { const: 'b' } }, { required: ['k'] }),
      ],
    },
    [{ k: 'a', x: 1 }, { k: 'b' }],
    [{ k: 'c' }, {}],
  ],
  [
    'prefixItems',
    { type: 'array', prefixItems: [string, integer], items: false },
    [['a'], ['a', 1]],
    [[1], ['a', 1, 2]],
  ],
  ['items of older drafts', { type: 'array', items: [string], additionalItems: integer }, [['a', 1, 2]], [['a', 'b']]],
  ['flags of draft 4', { type: 'integer', minimum: 3, exclusiveMinimum: true }, [4], [3]],
  ['nullable', { type: 'string', nullable: true }, ['a', null], [1]],
  [
    'patternProperties',
    { type: 'object', patternProperties: { '^x-': integer }, additionalProperties: false },
    [{ 'x-a': 1 }],
    [{ 'x-a': 'b' }, { a: 1 }],
  ],
  [
    'propertyNames',
    { type: 'object', propertyNames: { pattern: '^[a-c]+$' }, additionalProperties: integer },
    [{ abc: 1 }],
    [{ d: 1 }],
  ],
  [
    'propertyNames by format',
    object({ foo: integer }, { propertyNames: { format: 'date' }, additionalProperties: integer }),
    [{ '2026-11-30': 1 }, {}],
    [{ foo: 1 }, { bar: 1 }],
  ],
  ['propertyNames by enum', { type: 'object', propertyNames: { enum: ['a', 'b'] } }, [{ a: [1] }, {}], [{ c: 1 }]],
  [
    'dependentRequired',
    object({ a: integer, b: integer }, { dependentRequired: { a: ['b'] } }),
    [{}, { b: 1 }, { a: 1, b: 1 }],
    [{ a: 1 }],
  ],
  [
    'dependentSchemas',
    object({ a: integer, b: string }, { dependentSchemas: { a: { properties: { b: { const: 'x' } } } } }),
    [{ b: 'y' }, { a: 1, b: 'x' }],
    [{ a: 1, b: 'y' }],
  ],
  [
    'minProperties',
    object({ a: integer, b: integer }, { minProperties: 1, additionalProperties: false }),
    [{ a: 1 }, { b: 1 }],
    [{}],
  ],
  ['not a type', { not: { type: ['object', 'array'] } }, ['a', 1, null], [{}, []]],
  [
    'not required',
    object({ a: integer, b: integer }, { not: { required: ['a', 'b'] } }),
    [{ a: 1 }, { b: 1 }, {}],
    [{ a: 1, b: 1 }],
  ],
  [
    'if',
    object(
      { k: { type: 'boolean' }, v: {} },
      {
        required: ['k', 'v'],
        if: { properties: { k: { const: true } } },
        [THEN]: { properties: { v: integer } },
        else: { properties: { v: string } },
      },
    ),
    [
      { k: true, v: 1 },
      { k: false, v: 'x' },
    ],
    [
      { k: true, v: 'x' },
      { k: false, v: 1 },
    ],
  ],
  [
    'uniqueItems of an enum',
    { type: 'array', items: { enum: ['a', 'b', 'c'] }, uniqueItems: true, minItems: 1 },
    [['a'], ['a', 'c']],
    [[], ['a', 'a'], ['b', 'b', 'c']],
  ],
  [
    'not some values',
    { type: ['string', 'number'], not: { enum: ['ab', 'abc', 'x', 5] } },
    ['a', 'abcd', '', 'y', 4, 6.5],
    ['ab', 'abc', 'x', 5],
  ],
  [
    'if by a value',
    object(
      { k: { enum: ['a', 'b', 'c'] }, v: {} },
      {
        required: ['k', 'v'],
        if: { properties: { k: { const: 'a' } }, required: ['k'] },
        [THEN]: { properties: { v: integer } },
        else: { properties: { v: string } },
      },
    ),
    [
      { k: 'a', v: 1 },
      { k: 'c', v: 'x' },
    ],
    [
      { k: 'a', v: 'x' },
      { k: 'b', v: 1 },
    ],
  ],
  [
    'oneOf that overlaps',
    object({ a: integer, b: integer }, { oneOf: [{ required: ['a'] }, { required: ['b'] }] }),
    [{ a: 1 }, { b: 1 }],
    [{}, { a: 1, b: 1 }],
  ],
  ['a name in need of escapes', object({ 'a"\\/\n': integer }, { required: ['a"\\/\n'] }), [{ 'a"\\/\n': 1 }], [{}]],
  ['a type that is not said', { properties: { a: integer } }, [{ a: 1 }], [{ a: 'x' }, 'x']],
  [
    'anchors and ids',
    {
      $id: 'https://example.org/a',
      $ref: 'b',
      $defs: { b: { $id: 'b', anyOf: [{ $ref: '#c' }], $defs: { c: { $anchor: 'c', type: 'null' } } } },
    },
    [null],
    [1],
  ],
  ['a pointer with escapes', { $ref: '#/$defs/a~1b%25', $defs: { 'a/b%': integer } }, [1], ['x']],
  ['unevaluatedProperties', object({ a: integer }, { unevaluatedProperties: string }), [{ a: 1, b: 'x' }], [{ b: 1 }]],
  // Expressions that look around.
  ['not at the start', { type: 'string', pattern: '^(?!all$|b).*$' }, ['al', 'allx', ''], ['all', 'bc']],
  ['at the start', { type: 'string', pattern: '^(?=.{3,4}$)[a-z]+$' }, ['abc', 'abcd'], ['ab', 'abcde', 'ABC']],
  ['behind a fixed text', { type: 'string', pattern: '^a[0-9]\\.(?!x)[a-z]$' }, ['a1.y'], ['a1.x', 'a1y']],
  ['at the end', { type: 'string', pattern: '^[a-z-]+(?<!-|x)$' }, ['a-b'], ['a-', 'ax']],
  ['nowhere', { type: 'string', pattern: '^(?:(?!foo).)*$' }, ['', 'fo', 'f oo'], ['foo', 'xfoox']],
  // What is not allowed.
  ['not a pattern', { type: 'string', not: { pattern: '^a|b$' } }, ['ba', 'c'], ['ab', 'a']],
  ['not one that looks', { type: 'string', not: { pattern: '^(?!a)b*$' } }, ['a', 'abb', 'c'], ['', 'bb']],
  ['not a format', { type: 'string', not: { format: 'date' } }, ['2024', 'x'], ['2024-01-01']],
  ['not a multiple', { type: 'integer', not: { multipleOf: 4 } }, [1, -3, 30], [0, 4, -8]],
  ['not items', { type: 'array', items: integer, not: { items: { maximum: 3 } } }, [[4], [5, 1]], [[], [1]]],
  ['not a place', { type: 'array', not: { prefixItems: [string, integer] } }, [[1], ['a', 'b']], [['a', 1], []]],
  ['not contains', { type: 'array', items: integer, not: { contains: { maximum: 3 } } }, [[], [4]], [[4, 1]]],
  ['not a list', { type: 'array', items: integer, not: { enum: [[1], [1, 2]] } }, [[], [1, 2, 3]], [[1], [1, 2]]],
  ['not an object', { type: 'object', not: { const: { a: 1 } } }, [{}, { b: 1 }], [{ a: 1 }]],
  [
    'not closed',
    { type: 'object', not: { properties: { a: true }, additionalProperties: false } },
    [{ b: 1 }],
    [{}, { a: 1 }],
  ],
  [
    'not dependent',
    object({ a: integer, b: integer }, { not: { dependentRequired: { a: ['b'] } } }),
    [{ a: 1 }],
    [{}, { b: 1 }, { a: 1, b: 2 }],
  ],
  ['oneOf patterns', { type: 'string', oneOf: [{ pattern: '^a' }, { pattern: 'b$' }] }, ['a', 'b'], ['ab', 'c']],
  [
    'oneOf closed objects',
    { oneOf: ['a', 'b', 'c'].map(name => object({ [name]: integer, x: string }, { additionalProperties: false })) },
    [{ a: 1 }, { c: 1, x: '' }],
    [{}, { x: '' }, { a: 1, b: 1 }],
  ],
  // Lists and names.
  ['contains', { type: 'array', contains: string }, [['a'], [1, 'a', 2]], [[], [1]]],
  [
    'minContains, maxContains',
    { type: 'array', contains: string, minContains: 1, maxContains: 2 },
    [['a'], ['a', 'b', 1]],
    [[], ['a', 'b', 'c'], ['a', 1, 'b', 'c']],
  ],
  [
    'names by a reference',
    {
      type: 'object',
      propertyNames: { $ref: '#/$defs/n' },
      additionalProperties: integer,
      $defs: { n: { enum: ['a', 'b'] } },
    },
    [{}, { a: 1 }],
    [{ c: 1 }],
  ],
  [
    'names beside patterns',
    {
      type: 'object',
      propertyNames: { pattern: '^[a-z]+$', not: { const: 'no' } },
      patternProperties: { '.*': integer },
    },
    [{ a: 1, b: 2 }],
    [{ A: 1 }, { a: 'x' }, { no: 1 }],
  ],
  [
    'names that two patterns are found in',
    { type: 'object', patternProperties: { '^a': integer, b$: { maximum: 5 } }, additionalProperties: false },
    [{ a: 7, xb: 3 }, { ab: 3 }],
    [{ ab: 7 }, { ab: 'x' }, { c: 1 }],
  ],
  [
    'a choice of properties',
    object({ a: integer, b: integer, c: integer }, { maxProperties: 2, minProperties: 1 }),
    [{ a: 1 }, { b: 1, c: 2 }],
    [{}, { a: 1, b: 2, c: 3 }],
  ],
  [
    'null where no object fits',
    { ...object({ a: integer }, { additionalProperties: false, minProperties: 2 }), type: ['object', 'null'] },
    [null],
    [{}, { a: 1 }],
  ],
  [
    'a pattern of the empty name',
    { type: 'object', patternProperties: { '^$': integer }, propertyNames: { maxLength: 3 } },
    [{ '': 1 }, { abc: 'x' }],
    [{ '': 'x' }, { abcd: 1 }],
  ],
  [
    'a format that only its pattern says',
    { format: 'sku', pattern: '^[A-Z]{2}$', type: 'string' },
    ['AB'],
    ['ab', 'A'],
  ],
  [
    'a format that several patterns say',
    { format: 'ends_with', type: 'string', allOf: [{ pattern: '^a' }, { pattern: 'z$' }] },
    ['az'],
    ['a', 'z'],
  ],
  ['nullable without a type', { nullable: true, allOf: [integer] }, [1], [null, 'x']],
  ['flags of draft 3', object({ a: { type: 'integer', required: true }, b: integer }), [{ a: 1 }], [{ b: 1 }]],
  [
    'more of what refers to itself',
    { $ref: '#/$defs/a', $defs: { a: object({ b: { $ref: '#/$defs/a', required: ['c'] }, c: integer }) } },
    [{}, { b: { c: 1 } }],
    [{ b: {} }, { b: { b: { c: 1 } } }],
  ],
]

const FORMATS: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
  'date-time': [
    ['2024-02-29T23:59:59.5Z', '2000-01-01T00:00:00+01:30'],
    ['2024-01-01', '2024-01-01T24:00:00Z'],
  ],
  time: [['12:00:00Z'], ['12:00:60Z', '12:00']],
  duration: [
    ['P1Y2M3DT4H5M6S', 'PT5M', 'P2W'],
    ['P', '1D'],
  ],
  email: [['joe.blow+x@example.com'], ['joe', '@example.com']],
  hostname: [['a.example-1.com'], ['-a.com', 'a..b']],
  ipv4: [['192.168.0.255'], ['256.0.0.1', '1.2.3']],
  ipv6: [
    ['::1', '2001:db8::ff', '1:2:3:4:5:6:7:8'],
    ['1:2', '::g'],
  ],
  uuid: [['2eb8aa08-aa98-11ea-b4aa-73b441d16380'], ['2eb8aa08']],
  uri: [
    ['https://example.com/a?b=c#d', 'mailto:a@b.c'],
    ['no uri', '//x'],
  ],
  'json-pointer': [['/a/b~0', ''], ['a']],
  byte: [['aGk=', ''], ['a']],
  uuid4: [['2eb8aa08-aa98-41ea-b4aa-73b441d16380'], ['2eb8aa08-aa98-11ea-b4aa-73b441d16380']],
  ipv4network: [['10.0.0.1/32'], ['10.0.0.1', '10.0.0.256/32']],
}

/** Closed, and apart from other ones by its name; what it has cannot be held. */
const INNER = object({ a: { oneOf: [{ format: 'iri' }, { format: 'hostname' }] } }, { additionalProperties: false })

const REFUSED: readonly (readonly [unknown, string, string])[] = [
  [{ items: { type: [] } }, '/items', 'type'],
  [{ type: 'array', uniqueItems: 'yes' }, '', 'uniqueItems'],
  // Names that every object of JavaScript has are no formats.
  [{ type: 'string', format: 'constructor' }, '', 'format'],
  [{ type: 'string', format: '__proto__' }, '', 'format'],
  [object({ a: { type: 'array', contains: integer, minContains: 20 } }), '/properties/a', 'contains'],
  [{ items: { not: { format: 'iri' } } }, '/items', 'not'],
  [{ oneOf: [{ format: 'iri' }, { format: 'hostname' }] }, '', 'oneOf'],
  [{ $ref: 'https://example.org/schema' }, '', '$ref'],
  [{ $ref: '#/$defs/none' }, '', '$ref'],
  [{ $ref: '#' }, '', '$ref'],
  [{ anyOf: [{ $ref: '#/$defs/a' }], $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } } }, '/anyOf/0', '$ref'],
  [{ type: 'text' }, '', 'type'],
  [{ type: 'string', format: 'colour' }, '', 'format'],
  [{ type: 'string', pattern: '(?=a)' }, '', 'pattern'],
  [{ type: 'string', pattern: '\\bword\\b' }, '', 'pattern'],
  [{ type: 'string', pattern: '(a)\\1' }, '', 'pattern'],
  [{ type: 'string', pattern: '[' }, '', 'pattern'],
  [{ type: 'string', minLength: -1 }, '', 'minLength'],
  [{ type: 'number', multipleOf: 0 }, '', 'multipleOf'],
  [{ type: 'number', minimum: 1e300 }, '', 'minimum'],
  [{ type: 'object', minProperties: 2 }, '', 'minProperties'],
  [object({ a: integer }, { minProperties: 2, additionalProperties: true }), '', 'minProperties'],
  [{ oneOf: [INNER, object({ b: integer }, { additionalProperties: false })] }, '/oneOf/0/properties/a', 'oneOf'],
  [
    object(Object.fromEntries([...Array(20).keys()].map(i => [`p${i}`, integer])), { maxProperties: 9 }),
    '',
    'maxProperties',
  ],
  [object({ a: string }, { requried: ['a'] }), '', 'requried'],
  [{ enum: ['a\u0001'] }, '', 'enum'],
  [{ properties: [] }, '', 'properties'],
  [{ allOf: [] }, '', 'allOf'],
  [false, '', ''],
  [[], '', ''],
  [null, '', ''],
  [{ if: { format: 'iri' }, [THEN]: integer }, '', 'if'],
  [{ $dynamicRef: '#a' }, '', '$dynamicRef'],
  [{ type: 'integer', divisibleBy: 3 }, '', 'divisibleBy'],
  [JSON.parse('{"properties": {"__proto__": {}}}'), '', 'properties'],
  [
    object({ a: integer }, { unevaluatedProperties: false, allOf: [object({ b: integer })] }),
    '',
    'unevaluatedProperties',
  ],
]

function matcherOf(schema: unknown) {
  const { source } = schemaGrammar(schema, true)
  const grammar = library.compile(source)
  return (value: unknown): boolean => {
    const matcher = grammar.matcher()
    const known = ids(JSON.stringify(value))
    return matcher.accept(known) === known.length && matcher.accepting
  }
}

describe('a schema', () => {
  it.each(HELD)('is held: %s', async (_, schema, yes, no) => {
    const holds = matcherOf(schema)
    const check = await outputCheck(schema)
    for (const value of yes) {
      expect(holds(value), JSON.stringify(value)).toBe(true)
      expect(check(JSON.stringify(value))).toEqual(value)
    }
    for (const value of no) expect(holds(value), JSON.stringify(value)).toBe(false)
  })

  it.each(Object.entries(FORMATS))('is held with the format %s', async (format, [yes, no]) => {
    const holds = matcherOf({ type: 'string', format })
    const check = await outputCheck({ type: 'string', format })
    for (const text of yes) {
      expect(holds(text), text).toBe(true)
      check(JSON.stringify(text))
    }
    for (const text of no) expect(holds(text), text).toBe(false)
  })

  it.each(REFUSED)('is refused by name: %j', (schema, path, keyword) => {
    try {
      schemaGrammar(schema, true)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(SchemaError)
      expect(error).toMatchObject({ path, keyword })
      if (keyword) expect((error as Error).message).toContain(keyword)
    }
  })

  it("holds zod's duration, whose pattern looks around", () => {
    const pattern = z.toJSONSchema(z.iso.duration()).pattern as string
    expect(pattern).toMatch(/\(\?[!=]/)
    const holds = matcherOf({ type: 'string', format: 'duration', pattern })
    for (const text of ['P3W', 'P1Y2DT3S', 'PT5M']) {
      expect(text).toMatch(new RegExp(pattern))
      expect(holds(text)).toBe(true)
    }
    for (const text of ['P', 'P1YT', '3W', 'P1Y2W']) expect(holds(text)).toBe(false)
  })

  it('is left as it was given', () => {
    const schema = { type: ['string', 'integer'], nullable: true }
    expect(matcherOf(schema)(null)).toBe(true)
    expect(schema).toEqual({ type: ['string', 'integer'], nullable: true })
  })

  it('with a long chain of references is read quickly', () => {
    const chain = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`d${i}`, { $ref: `#/$defs/d${i + 1}` }]))
    const began = performance.now()
    schemaGrammar({ $ref: '#/$defs/d0', $defs: { ...chain, d2000: integer } }, true)
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it.each(['anyOf', 'allOf', 'not', 'propertyNames', 'oneOf'])('with references that fan out is read fast: %s', key => {
    const n = 32
    const both = (i: number) => Array(4).fill({ $ref: `#/$defs/d${i + 1}` })
    const $defs = Object.fromEntries(
      Array.from({ length: n }, (_, i) => [`d${i}`, key === 'anyOf' ? { anyOf: both(i) } : { allOf: both(i) }]),
    )
    const last = key === 'propertyNames' ? { pattern: 'a' } : object({ x: { $ref: '#/$defs/d0' } })
    const first = { $ref: '#/$defs/d0' }
    const schema = {
      anyOf: { allOf: [first, { type: 'object' }] },
      allOf: { allOf: [first, { type: 'object' }] },
      not: { not: first },
      propertyNames: { propertyNames: first },
      oneOf: { oneOf: [first, first] },
    }[key]
    const began = performance.now()
    try {
      schemaGrammar({ ...schema, $defs: { ...$defs, [`d${n}`]: last } }, true)
    } catch (error) {
      expect(error).toBeInstanceOf(SchemaError)
    }
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it('is refused where it is too deep or too large', () => {
    const deep = (n: number): object => (n === 0 ? {} : { items: deep(n - 1) })
    expect(() => schemaGrammar(deep(100), true)).toThrow(/nested more than 64 deep/)
    expect(() => schemaGrammar({ anyOf: Array.from({ length: 70_000 }, () => string) }, true)).toThrow(
      /more than 60000 schemas/,
    )
    expect(() => schemaGrammar({ enum: Array.from({ length: 6000 }, (_, i) => i) }, true)).toThrow(/at most 5000/)
  })

  const named = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`p${i}`, integer]))
  const refused = (schema: unknown) => () => schemaGrammar(schema, true)

  it('may have 2,000 properties that can be left out, one after the other', () => {
    const { source } = schemaGrammar({ properties: named(2000) }, true)
    expect(holds(source, '{"p1": 1, "p1999": 2}')).toBe(true)
    expect(refused({ items: { properties: named(2500) } })).toThrow(
      /at \/items: properties has more than 2000 that may be/,
    )
    expect(schemaGrammar({ properties: named(1000), required: ['p300', 'p600', 'p900'] }, true).source.kind).toBe(
      'json',
    )
  })

  it('may have many consts in a oneOf', () => {
    const began = performance.now()
    schemaGrammar({ oneOf: Array.from({ length: 5000 }, (_, i) => ({ const: i })) }, true)
    expect(performance.now() - began).toBeLessThan(2000)
    const objects = Array.from({ length: 1000 }, (_, i) => ({ properties: { a: { const: i } }, required: ['a'] }))
    expect(refused({ oneOf: objects })).toThrow(/oneOf has 1000 schemas; expected at most 200/)
  })

  it('is refused for a multiple that the library cannot count', () => {
    expect(refused({ items: { type: 'integer', multipleOf: 999_983 } })).toThrow(
      /at \/items: multipleOf is 999983; expected at most 10000/,
    )
    expect(refused({ type: 'integer', multipleOf: 9973, minimum: 17 })).toThrow(/at most 5000 beside bounds/)
  })

  it('may be a oneOf of objects that say more than what can be turned round', () => {
    const text = { type: 'string' }
    const one = { type: 'object', properties: { a: text }, required: ['a'], additionalProperties: text }
    const other = {
      type: 'object',
      properties: { b: { ...text, pattern: '^x' } },
      required: ['b'],
      patternProperties: { '^c': text },
    }
    const { source } = schemaGrammar({ oneOf: [one, other] }, true)
    expect(holds(source, '{"a":"1"}')).toBe(true)
    expect(holds(source, '{"b":"x"}')).toBe(true)
    expect(holds(source, '{"a":"1","b":"x"}')).toBe(false)
    // Not: nothing but texts.
    const multiples = [3, 5].map(multipleOf => ({ type: 'integer', multipleOf }))
    const either = schemaGrammar({ oneOf: [...multiples, text] }, true).source
    expect(['3', '15', '-10', '"a"', '1'].map(json => holds(either, json))).toEqual([true, false, true, true, false])
    const large = { type: 'integer', multipleOf: 10_007 }
    expect(refused({ oneOf: [large, { type: 'integer', multipleOf: 3 }, text] })).toThrow(/oneOf|multipleOf/)
  })

  it('may be a oneOf of known texts and a pattern', () => {
    const { source } = schemaGrammar(
      {
        oneOf: [{ $ref: '#/$defs/known' }, { type: 'string', pattern: '^#\\w+$' }],
        $defs: { known: { enum: ['red', '#red'] } },
      },
      true,
    )
    expect(['"red"', '"#blue"', '"#red"', '"blue"'].map(text => holds(source, text))).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it('that has no value is refused before it is compiled', () => {
    const none = { type: 'array', items: { type: 'null' }, uniqueItems: true, minItems: 2 }
    const object = { type: 'object', properties: { none }, required: ['none'] }
    for (const schema of [none, object, { anyOf: [none, false] }, { allOf: [{ type: 'integer' }, object] }]) {
      expect(refused(schema)).toThrow('The schema is satisfied by no value')
    }
    expect(refused({ ...object, required: [] })).not.toThrow()
    expect(refused({ properties: { none }, required: ['none'], type: ['object', 'null'] })).not.toThrow()
  })

  it('that demands itself without end has no value', () => {
    const n = { properties: { next: { $ref: '#/$defs/n' } }, required: ['next'] }
    const $defs = { n, list: { type: 'array', items: { $ref: '#/$defs/list' }, minItems: 1 } }
    expect(refused({ $ref: '#/$defs/n', $defs })).toThrow(/at \/\$defs\/n is satisfied by no value: .* without end/)
    expect(refused({ items: { $ref: '#/$defs/list' }, minItems: 2, $defs })).toThrow(/is satisfied by no value/)
    const { source } = schemaGrammar({ anyOf: [{ $ref: '#/$defs/n' }, { type: 'null' }], $defs }, true)
    expect(holds(source, 'null')).toBe(true)
    expect(holds(source, '{"next": {"next": null}}')).toBe(false)
    // Names of properties are names, also those that are keywords elsewhere.
    const either = { anyOf: [{ $ref: '#/$defs/n' }, { type: 'null' }] }
    const named = { type: 'object', properties: { const: either, enum: either }, required: ['const', 'enum'] }
    expect(holds(schemaGrammar({ ...named, $defs: { n } }, true).source, '{"const": null, "enum": null}')).toBe(true)
  })

  it('explains what the library refuses', () => {
    const { explain } = schemaGrammar({ $ref: '#/$defs/a', $defs: { a: object({ a: integer }) } }, true)
    const met = 'circular references with sibling keys are not supported: #/$defs/d0'
    expect(explain(met)).toMatchObject({ code: 'bad_schema', keyword: '$ref', path: '/$defs/a' })
    expect(explain('Unsatisfiable schema: x').message).toMatch(/is satisfied by no value/)
  })
})

describe('white space', () => {
  it('is a little at most', () => {
    const { source } = schemaGrammar(object({ a: integer }, { required: ['a'] }), true)
    const grammar = library.compile(source)
    const holds = (text: string) => {
      const matcher = grammar.matcher()
      return matcher.accept(ids(text)) === ids(text).length
    }
    expect(holds('{\n    "a": 1\n}')).toBe(true)
    expect(holds('{ "a": 1 }')).toBe(true)
    expect(holds('{"a":1}')).toBe(true)
    // No model was trained on blanks before these.
    expect(holds('{"a" : 1}')).toBe(false)
    expect(holds('{"a": 1 ,')).toBe(false)
    expect(holds('{   ')).toBe(false)
    expect(holds('{\n\n')).toBe(false)
    expect(holds(`{\n${' '.repeat(17)}`)).toBe(false)
  })
})

describe('a contrary model', () => {
  it.each(HELD)('writes what is valid: %s', async (_, schema) => {
    const check = await outputCheck(schema)
    const grammar = library.compile(schemaGrammar(schema, true).source)
    const random = randomOf(1)
    for (const draw of DRAWS) {
      const { text, finished } = drawText({ library, end, texts }, grammar, random, draw, 25, 150)
      if (finished) check(text)
    }
  })

  it.each(Object.keys(FORMATS))('writes what is valid: the format %s', async format => {
    const schema = { type: 'string', format }
    const check = await outputCheck(schema)
    const grammar = library.compile(schemaGrammar(schema, true).source)
    const random = randomOf(2)
    for (const draw of [...DRAWS, ...DRAWS]) {
      const { text, finished } = drawText({ library, end, texts }, grammar, random, draw, 25, 150)
      if (finished) check(text)
    }
  })
})
