/**
 * Answers under many schemas and sets of tools, from SmolLM2 at temperature 1 (where ../shared has it) and from a model of
 * random weights, which writes anything: each is refused by name, or valid when it ends. A few always; counts are printed:
 *
 *     LATENTKIT_ANSWERS=500 LATENTKIT_SCHEMAS=FOLDERS npx vitest run test/engine/answers.test.ts
 *
 * Half of the schemas are published ones if there are folders with some. LATENTKIT_ANSWER_SEEDS: seeds of each; 3 by default.
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { Engine, GrammarError, type JsonSchema, SchemaError } from 'latentkit'
import { afterAll, describe, expect, it } from 'vitest'
import { outputCheck } from '../../src/grammar/check.ts'
import { generatedObjects, generatedSchemas, published, SCHEMA_FOLDERS } from '../grammar/schemas.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { TALES } from './tales.ts'

const asked = Number(process.env.LATENTKIT_ANSWERS ?? 0)
const SCHEMAS = asked || 6
const TOOL_SETS = asked ? Math.round(asked * 0.4) : 2
const SEEDS = asked ? Number(process.env.LATENTKIT_ANSWER_SEEDS ?? 3) : 1
const MAX_TOKENS = asked ? 512 : 100
const AT_ONCE = asked ? 24 : 8
const SMOLLM2 = fileURLToPath(
  new URL('../../../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf', import.meta.url),
)
const TEMPLATE =
  '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}'

interface Counts {
  answers: number
  finished: number
  /** Ended by the limit of tokens: how many, and how they end. */
  cut: number
  readonly tails: string[]
  /** Requests that were refused, by keyword. */
  readonly refused: Map<string, number>
  /** Texts that an expression or a list of distinct items left without a way on, or that were too much for the library. */
  readonly failed: string[]
  readonly wrong: string[]
}

const counted = (): Counts => ({
  ...{ answers: 0, finished: 0, cut: 0 },
  refused: new Map(),
  ...{ tails: [], failed: [], wrong: [] },
})

/** Runs all, a few at once. */
async function each<T>(list: readonly T[], run: (one: T, index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let i = next++; i < list.length; i = next++) await run(list[i] as T, i)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Whether the request goes on; counts what becomes of it otherwise. */
function failed(error: unknown, name: string, counts: Counts): void {
  const { message } = error as Error
  if (error instanceof SchemaError) counts.refused.set(error.keyword, (counts.refused.get(error.keyword) ?? 0) + 1)
  else if (error instanceof GrammarError) counts.failed.push(`${name}: ${message}`)
  else counts.wrong.push(`${name}: ${message}`)
}

/** Schemas that stand on their own. */
async function schemas(): Promise<[string, unknown][]> {
  const found: [string, unknown][] = []
  for (const one of SCHEMA_FOLDERS.flatMap(published)) {
    const whole = await outputCheck(one[1]).then(
      () => true,
      () => false,
    )
    if (whole) found.push(one)
  }
  const wanted = Math.min(SCHEMAS / 2, found.length)
  const spread = Array.from(
    { length: wanted },
    (_, i) => found[Math.floor((i * found.length) / wanted)] as [string, unknown],
  )
  const made = generatedSchemas(SCHEMAS - wanted).map((schema, i): [string, unknown] => [`generated ${i}`, schema])
  return [...spread, ...made]
}

async function underSchemas(engine: Engine, temperature: number): Promise<Counts> {
  const counts = counted()
  await each(await schemas(), async ([name, schema]) => {
    const check = await outputCheck(schema)
    const wish = `Write an example, as JSON by this schema:\n${JSON.stringify(schema).slice(0, 1500)}`
    try {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const options = { schema: schema as JsonSchema, seed, temperature, maxTokens: MAX_TOKENS }
        const { text, value, finishReason } = await engine.generate([{ role: 'user', content: wish }], options)
        counts.answers++
        if (finishReason !== 'stop') {
          counts.cut++
          counts.tails.push(`${name} (seed ${seed}): ${text.slice(-160)}`)
          continue
        }
        counts.finished++
        // As long as it is JSON, its check does not know how it came about.
        expect(check(text)).toEqual(value)
      }
    } catch (error) {
      failed(error, name, counts)
    }
  })
  return counts
}

async function underTools(engine: Engine, temperature: number): Promise<Counts> {
  const counts = counted()
  const objects = generatedObjects(3 * TOOL_SETS)
  const sets = Array.from({ length: TOOL_SETS }, (_, i) => objects.slice(3 * i, 3 * i + 1 + (i % 3)))
  await each(sets, async (set, i) => {
    const tools = Object.fromEntries(
      set.map((parameters, j) => [`tool_${j}`, { parameters: parameters as { readonly [keyword: string]: unknown } }]),
    )
    try {
      for (let seed = 1; seed <= SEEDS; seed++) {
        await using session = engine.session()
        const options = { tools, toolChoice: 'required', parallel: false, format: 'hermes' } as const
        const drawing = { seed, temperature, maxTokens: MAX_TOKENS }
        const asks = [{ role: 'user', content: 'Use a tool.' }] as const
        const { toolCalls, finishReason } = await session.chat(asks, { ...options, ...drawing })
        counts.answers++
        if (finishReason === 'length') {
          counts.cut++
          continue
        }
        counts.finished++
        const [call] = toolCalls
        const parameters = tools[call?.name as string]?.parameters
        if (toolCalls.length !== 1 || parameters === undefined) throw new Error(`calls ${JSON.stringify(toolCalls)}`)
        ;(await outputCheck(parameters))(JSON.stringify(call?.arguments))
      }
    } catch (error) {
      failed(error, `tools ${i}`, counts)
    }
  })
  return counts
}

/** The bundled model's folder with weights that are drawn anew. */
function randomWeights(): string {
  const folder = path.join(tempFolder(), 'random-weights')
  cpSync(TALES, folder, { recursive: true })
  const file = path.join(folder, 'model.safetensors')
  const bytes = readFileSync(file)
  const header = 8 + Number(bytes.readBigUInt64LE(0))
  let state = 1
  for (let at = header; at + 1 < bytes.length; at += 2) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    // bf16 of up to 0.1, of either sign.
    const [value] = new Uint32Array(Float32Array.of((state / 2 ** 32 - 0.5) / 5).buffer)
    bytes.writeUInt16LE((value as number) >>> 16, at)
  }
  writeFileSync(file, bytes)
  return folder
}

function holds(counts: Counts, what: string): void {
  if (asked) console.log(what, inspect(counts, { maxArrayLength: null, breakLength: 160 }))
  expect(counts.wrong).toEqual([])
  const refused = [...counts.refused.values()].reduce((sum, one) => sum + one, 0)
  if (!asked) return
  expect(refused).toBeLessThanOrEqual(0.25 * (what.includes('tools') ? TOOL_SETS : SCHEMAS))
  expect(counts.failed.length).toBeLessThanOrEqual(0.02 * counts.answers + 1)
}

const here = existsSync(SMOLLM2)
const name = here ? 'SmolLM2' : 'SmolLM2 (../shared has none)'
describe.skipIf(!here)(name, { timeout: 7_200_000 }, () => {
  let engine: Engine | undefined
  afterAll(() => engine?.dispose())

  it('writes valid JSON, or is refused by name, and finishes', async () => {
    engine ??= await Engine.load(SMOLLM2, { threads: 2 })
    const counts = await underSchemas(engine, 1)
    holds(counts, 'SmolLM2, schemas')
    expect(counts.finished / counts.answers).toBeGreaterThanOrEqual(asked ? 0.9 : 0.5)
  })

  it('calls tools with valid arguments', async () => {
    engine ??= await Engine.load(SMOLLM2, { threads: 2 })
    const counts = await underTools(engine, 1)
    holds(counts, 'SmolLM2, tools')
    expect(counts.finished / counts.answers).toBeGreaterThanOrEqual(asked ? 0.9 : 0.5)
  })
})

describe('a model of random weights', { timeout: 7_200_000 }, () => {
  it('writes valid JSON and calls, whatever it would like to', async () => {
    await using engine = await Engine.load(randomWeights(), { threads: 2, chatTemplate: TEMPLATE })
    const counts = await underSchemas(engine, 1)
    holds(counts, 'random weights, schemas')
    expect(counts.finished).toBeGreaterThan(0)
    holds(await underTools(engine, 1), 'random weights, tools')
  })
})
