import * as valibot from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import * as zod from 'zod'
import { OptionError } from '../../src/errors.ts'
import { OutputError, SchemaError } from '../../src/grammar/errors.ts'
import { type OutputFormat, prepareOutput } from '../../src/grammar/output.ts'
import { readSchema } from '../../src/grammar/schema/grammar.ts'
import { testLibrary } from './support.ts'

const { holds } = await testLibrary()

/** TypeScript reads expressions as the oldest of its targets. */
const WITH_SETS = '[[a-z]&&[b]]'
const ESCAPED_DASH = '\\-'

describe('a format', () => {
  it('by a JSON schema', async () => {
    const { source, json, finish } = await prepareOutput({
      schema: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'], additionalProperties: false },
    })
    expect(json).toBe(true)
    expect(holds(source, '{"a": 1}')).toBe(true)
    expect(await finish('{"a": 1}')).toEqual({ a: 1 })
    await expect(finish('{"a": "x"}')).rejects.toThrow(OutputError)
    await expect(finish('{"a": 1')).rejects.toThrow(/is not JSON .*may have been cut/)
  })

  it('by a schema that may take long is read elsewhere', async () => {
    const read: string[] = []
    const elsewhere = async (schema: string) => {
      read.push(schema)
      return readSchema(JSON.parse(schema), true)
    }
    const pattern = { type: 'string', pattern: '^#' }
    const known = { enum: ['#red', 'x'.repeat(10)] }
    // An expression would be tried on names and known texts.
    const slow = [
      { oneOf: [known, pattern] },
      { type: 'object', properties: { '#a': {} }, propertyNames: { pattern: '^#' } },
      { enum: ['x'.repeat(10_000)] },
    ]
    const quick = [{ anyOf: [known, pattern] }, { oneOf: [known, { type: 'integer' }] }]
    for (const schema of [...slow, ...quick]) await prepareOutput({ schema }, undefined, elsewhere)
    expect(read).toEqual(slow.map(schema => JSON.stringify(schema)))
  })

  it('as any JSON object', async () => {
    const { source, finish } = await prepareOutput({ json: true })
    expect(holds(source, '{"a": [1, {"b": null}]}')).toBe(true)
    expect(holds(source, '[]')).toBe(false)
    expect(await finish('{"a": [1]}')).toEqual({ a: [1] })
  })

  it.each([
    ['[a-c]+\\d{2}', ['abc12', 'a00'], ['', 'a1', 'abc123', 'xabc12']],
    ['^(yes|no)$', ['yes', 'no'], ['maybe', 'yes no']],
    ['yes|no', ['yes', 'no'], ['maybe']],
    [/\w+ \S+/u, ['a ä'], ['ä a', 'a']],
    ['[[\\]&-]+', ['[]&-'], ['a']],
    ['"\\u00e9/\\x41"', ['"é/A"'], ['é']],
    [/st[a-c]|ÄÖ[^x]/i, ['STA', 'Stb', 'äÖz'], ['std', 'äöX']],
    ['(?i)yes|no', ['YES', 'nO'], ['yess']],
    [/a.b/, ['a-b'], ['a\nb']],
    [/a.b/gs, ['a\nb'], ['A\nb']],
    ['(?is)a.b', ['A\nB'], ['a\n']],
    ['/usr/', ['/usr/'], ['usr']],
    ['\\/a/i', ['/a/i'], ['A']],
  ])('as a regular expression: %s', async (regex, yes, no) => {
    const { source, json, finish } = await prepareOutput({ regex })
    expect(json).toBe(false)
    for (const text of yes) {
      expect(holds(source, text), text).toBe(true)
      expect(await finish(text)).toBe(text)
    }
    for (const text of no) {
      expect(holds(source, text), text).toBe(false)
      await expect(finish(text)).rejects.toThrow(OutputError)
    }
  })

  it('as one of some texts', async () => {
    const prepared = await prepareOutput({ choices: ['red', 'reddish', 'a "quoted"\none', '日本'] })
    for (const text of ['red', 'reddish', 'a "quoted"\none', '日本']) expect(holds(prepared.source, text)).toBe(true)
    expect(holds(prepared.source, 'redd')).toBe(false)
    const value = await prepared.finish('red')
    expectTypeOf(value).toEqualTypeOf<'red' | 'reddish' | 'a "quoted"\none' | '日本'>()
    await expect(prepared.finish('blue')).rejects.toThrow(/is not what choices demands/)
  })

  it('as one of 20,000 texts', async () => {
    const choices = Array.from({ length: 20_000 }, (_, i) => `(${i}) of them?`)
    const { source, finish } = await prepareOutput({ choices })
    expect(holds(source, '(19999) of them?')).toBe(true)
    expect(holds(source, '(20000) of them?')).toBe(false)
    expect(await finish('(7) of them?')).toBe('(7) of them?')
  })

  it('explains in one line what the library refuses', async () => {
    for (const format of [{ regex: '$a' }, { grammar: 'start: foo' }]) {
      const { source, explain } = await prepareOutput(format)
      let message = ''
      try {
        holds(source, 'a')
      } catch (error) {
        message = explain((error as Error).message).message
      }
      expect(message).toMatch(/^(regex|grammar) cannot be held: \S/)
      expect(message).not.toMatch(/u000a|\n|\s$/)
    }
  })

  it('by a grammar', async () => {
    const { source, finish } = await prepareOutput({ grammar: 'start: "a" start? "b"' })
    expect(holds(source, 'aabb')).toBe(true)
    expect(holds(source, 'aab')).toBe(false)
    expect(await finish('ab')).toBe('ab')
  })

  it.each([
    [{}, /has nothing; expected one of schema, json/],
    [{ json: true, regex: 'a' }, /has json and regex/],
    [{ json: false }, /json is false; expected true/],
    [{ regex: /^a$/im }, /has the flag m, which cannot be held; expected i or s/],
    [{ regex: '(?im)a' }, /begins with "\(\?im\)"; expected i or s/],
    [{ regex: '/yes|no/i' }, /has slashes around it and the flags i; .* write "\(\?i\)yes\|no", or/],
    [{ regex: '/a/g' }, /has slashes around it and the flags g; .* write "a", or/],
    [{ regex: new RegExp(WITH_SETS, 'v') }, /has sets that only the flag v knows/],
    [{ regex: new RegExp(ESCAPED_DASH, 'i') }, /has the flag i, which goes with what the flag u takes/],
    [{ regex: '(?<=a)b' }, /looks behind/],
    [{ regex: 1 }, /regex is 1; expected a text or a RegExp/],
    [{ choices: [] }, /choices is an empty list/],
    [{ choices: ['a', ''] }, /choices is a list of 2/],
    [{ grammar: 1 }, /grammar is 1/],
  ] as [OutputFormat, RegExp][])('is refused: %o', async (format, message) => {
    await expect(prepareOutput(format)).rejects.toThrow(message)
    await expect(prepareOutput(format)).rejects.toThrow(OptionError)
  })
})

describe('a Standard Schema', () => {
  it('of zod, with the type of its values', async () => {
    const schema = zod.object({
      name: zod.string().min(1).max(20),
      age: zod.int().min(0),
      tags: zod.array(zod.enum(['a', 'b'])).max(3),
      shape: zod.discriminatedUnion('kind', [
        zod.object({ kind: zod.literal('circle'), r: zod.number() }),
        zod.object({ kind: zod.literal('square'), side: zod.number().optional() }),
      ]),
      when: zod.iso.date().transform(text => new Date(text)),
    })
    const { source, finish } = await prepareOutput({ schema })
    const text = '{"name": "A", "age": 3, "tags": ["b"], "shape": {"kind": "circle", "r": 1.5}, "when": "2024-01-01"}'
    expect(holds(source, text)).toBe(true)
    expect(holds(source, text.replace('circle', 'square'))).toBe(false)
    const value = await finish(text)
    expectTypeOf(value.when).toEqualTypeOf<Date>()
    expect(value.when).toEqual(new Date('2024-01-01'))
    await expect(finish(text.replace('"A"', '""'))).rejects.toThrow(OutputError)
  })

  it('of valibot', async () => {
    const schema = valibot.object({ name: valibot.pipe(valibot.string(), valibot.minLength(2)), n: valibot.number() })
    const { source, finish } = await prepareOutput({ schema })
    expect(holds(source, '{"name": "ab", "n": 1}')).toBe(true)
    expect(holds(source, '{"name": "a", "n": 1}')).toBe(false)
    const value = await finish('{"name": "ab", "n": 1}')
    expectTypeOf(value).toEqualTypeOf<{ name: string; n: number }>()
    expect(value).toEqual({ name: 'ab', n: 1 })
  })

  it('that checks more than its JSON schema says', async () => {
    const schema = zod.object({ a: zod.string() }).refine(({ a }) => a !== 'bad', { message: 'is bad' })
    const { finish } = await prepareOutput({ schema })
    await expect(finish('{"a": "bad"}')).rejects.toThrow(/is bad/)
  })

  it('that has no JSON schema', async () => {
    const own = { '~standard': { version: 1, vendor: 'own', validate: (value: unknown) => ({ value }) } } as const
    await expect(prepareOutput({ schema: own })).rejects.toThrow(SchemaError)
    await expect(prepareOutput({ schema: zod.object({ a: zod.bigint() }) })).rejects.toThrow(SchemaError)
  })
})
