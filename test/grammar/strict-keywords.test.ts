/** Every keyword that OpenAI documents for strict structured outputs: what it allows can be written, what it forbids cannot. */
import { expect, it } from 'vitest'
import { schemaGrammar } from '../../src/grammar/schema/grammar.ts'
import { testLibrary } from './support.ts'

const { holds } = await testLibrary()

const string = (more: object) => ({ type: 'string', ...more })
const number = (more: object) => ({ type: 'number', ...more })
const list = (more: object) => ({ type: 'array', items: { type: 'integer' }, ...more })
const node = {
  type: 'object',
  properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
  required: ['next'],
  additionalProperties: false,
}

it.each<[keyword: string, schema: object, allowed: string, forbidden: string]>([
  ['type string', { type: 'string' }, '"a"', '1'],
  ['type number', { type: 'number' }, '1.5', '"1"'],
  ['type integer', { type: 'integer' }, '-3', '1.5'],
  ['type boolean', { type: 'boolean' }, 'true', 'null'],
  ['type object', { type: 'object', properties: {}, additionalProperties: false }, '{}', '[]'],
  ['type array', list({}), '[1,2]', '{}'],
  ['type of two', { type: ['string', 'null'] }, 'null', '1'],
  ['enum', { enum: ['a', 2] }, '2', '"b"'],
  ['const', { const: 'a' }, '"a"', '"b"'],
  ['anyOf', { anyOf: [{ type: 'integer' }, { type: 'string' }] }, '"a"', 'true'],
  ['properties, required', { ...node, properties: { a: { type: 'integer' } }, required: ['a'] }, '{"a":1}', '{}'],
  ['additionalProperties', { ...node, properties: {}, required: [] }, '{}', '{"b":1}'],
  ['pattern', string({ pattern: '^@[a-z]+$' }), '"@ab"', '"ab"'],
  ['format date-time', string({ format: 'date-time' }), '"2026-11-29T12:00:00Z"', '"2026-11-29"'],
  ['format time', string({ format: 'time' }), '"12:00:00Z"', '"25:00:00Z"'],
  ['format date', string({ format: 'date' }), '"2026-11-29"', '"2026-13-29"'],
  ['format duration', string({ format: 'duration' }), '"P3DT4H"', '"3 days"'],
  ['format email', string({ format: 'email' }), '"a@b.de"', '"a.b.de"'],
  ['format hostname', string({ format: 'hostname' }), '"a.de"', '"a b"'],
  ['format ipv4', string({ format: 'ipv4' }), '"127.0.0.1"', '"127.0.0.256"'],
  ['format ipv6', string({ format: 'ipv6' }), '"::1"', '"1"'],
  ['format uuid', string({ format: 'uuid' }), '"01234567-89ab-cdef-0123-456789abcdef"', '"0123"'],
  ['minLength', string({ minLength: 2 }), '"ab"', '"a"'],
  ['maxLength', string({ maxLength: 2 }), '"ab"', '"abc"'],
  ['multipleOf', number({ multipleOf: 3 }), '9', '10'],
  ['maximum', number({ maximum: 5 }), '5', '6'],
  ['exclusiveMaximum', number({ exclusiveMaximum: 5 }), '4', '5'],
  ['minimum', number({ minimum: 5 }), '5', '4'],
  ['exclusiveMinimum', number({ exclusiveMinimum: 5 }), '6', '5'],
  ['minItems', list({ minItems: 2 }), '[1,2]', '[1]'],
  ['maxItems', list({ maxItems: 1 }), '[1]', '[1,2]'],
  ['$defs, $ref', { $ref: '#/$defs/node', $defs: { node } }, '{"next":{"next":null}}', '{"next":{"next":1}}'],
  [
    '$ref to the root',
    { ...node, properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } } },
    '{"next":{"next":null}}',
    '{"next":{}}',
  ],
])('%s', (_, schema, allowed, forbidden) => {
  const { source } = schemaGrammar(schema, true)
  expect(holds(source, allowed)).toBe(true)
  expect(holds(source, forbidden)).toBe(false)
})
