/**
 * Answers under many schemas and sets of tools, from SmolLM2 at temperature 1 (where ../shared has it) and from a model of
 * random weights, which writes anything: each is refused by name, or valid when it ends. A few always; counts are printed:
 *
 *     LATENTKIT_ANSWERS=500 LATENTKIT_SCHEMAS=FOLDERS npx vitest run test/engine/answers.test.ts
 *
 * Half of the schemas are published ones if there are folders with some. LATENTKIT_ANSWER_SEEDS: seeds of each; 3 by default.
 * LATENTKIT_ANSWER_THREADS: threads of the engine; 2 by default. answer-jobs.ts says how a long run is made in parts.
 */
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { type ChatOptions, Engine, type JsonSchema, type ToolChoice } from 'latentkit'
import { expect, it } from 'vitest'
import { outputCheck } from '../../src/grammar/check.ts'
import { generatedObjects, generatedSchemas, published, SCHEMA_FOLDERS } from '../grammar/schemas.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { type Counts, type Job, runJobs } from './answer-jobs.ts'
import { TALES } from './tales.ts'

const asked = Number(process.env.LATENTKIT_ANSWERS ?? 0)
const SCHEMAS = asked || 6
const TOOL_SETS = asked ? Math.round(asked * 0.4) : 4
const SEEDS = asked ? Number(process.env.LATENTKIT_ANSWER_SEEDS ?? 3) : 1
const MAX_TOKENS = asked ? 512 : 100
const AT_ONCE = asked ? 24 : 8
const THREADS = Number(process.env.LATENTKIT_ANSWER_THREADS ?? 2)
const SMOLLM2 = fileURLToPath(
  new URL('../../../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf', import.meta.url),
)
const TEMPLATE =
  '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}'

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
  const picked = Array.from(
    { length: wanted },
    (_, i) => found[Math.floor((i * found.length) / wanted)] as [string, unknown],
  )
  const made = generatedSchemas(SCHEMAS - wanted).map((schema, i): [string, unknown] => [`generated ${i}`, schema])
  return [...picked, ...made]
}

type Described = Readonly<
  Record<string, { readonly parameters: Readonly<Record<string, unknown>>; readonly strict: true }>
>

async function schemaJobs(engine: Engine): Promise<((seed: number) => Job)[]> {
  return (await schemas()).map(([name, schema]) => seed => ({
    ...{ group: 'schemas', name, seed },
    async run() {
      const check = await outputCheck(schema)
      const wish = `Write an example, as JSON by this schema:\n${JSON.stringify(schema).slice(0, 1500)}`
      const options = { schema: schema as JsonSchema, seed, temperature: 1, maxTokens: MAX_TOKENS }
      const { text, value, finishReason } = await engine.generate([{ role: 'user', content: wish }], options)
      if (finishReason !== 'stop') return text.slice(-160)
      // As long as it is JSON, its check does not know how it came about.
      expect(check(text)).toEqual(value)
      return null
    },
  }))
}

/** How calls are asked for, in turn: which calls there may be. */
const CHOICES: readonly {
  readonly is: string
  readonly options: { readonly toolChoice: ToolChoice; readonly parallel: boolean }
  readonly least: number
}[] = [
  { is: 'required', options: { toolChoice: 'required', parallel: false }, least: 1 },
  { is: 'parallel', options: { toolChoice: 'required', parallel: true }, least: 1 },
  { is: 'named', options: { toolChoice: { name: 'tool_0' }, parallel: false }, least: 1 },
  { is: 'auto', options: { toolChoice: 'auto', parallel: true }, least: 0 },
]

function toolJobs(engine: Engine): ((seed: number) => Job)[] {
  const objects = generatedObjects(3 * TOOL_SETS) as Readonly<Record<string, unknown>>[]
  return Array.from({ length: TOOL_SETS }, (_, i) => {
    const set = objects.slice(3 * i, 3 * i + 1 + (i % 3))
    const tools: Described = Object.fromEntries(
      set.map((parameters, j) => [`tool_${j}`, { parameters, strict: true as const }]),
    )
    const choice = CHOICES[i % CHOICES.length] as (typeof CHOICES)[number]
    return seed => ({
      ...{ group: `tools, ${choice.is}`, name: `tools ${i}`, seed },
      run: () => called(engine, tools, choice, { seed, temperature: 1, maxTokens: MAX_TOKENS }),
    })
  })
}

async function called(
  engine: Engine,
  tools: Described,
  { options, least }: (typeof CHOICES)[number],
  drawing: Pick<ChatOptions, 'seed' | 'temperature' | 'maxTokens'>,
): Promise<string | null> {
  await using session = engine.session()
  // A small model that has seen a call makes one, even where it may answer otherwise.
  const before = { id: 'call_0', name: 'tool_0', arguments: {} }
  const { toolCalls, finishReason, content } = await session.chat(
    [
      { role: 'user', content: 'Use a tool.' },
      { role: 'assistant', content: null, toolCalls: [before] },
      { role: 'tool', toolCallId: 'call_0', content: 'Done.' },
      { role: 'user', content: 'Use a tool again.' },
    ],
    { tools, format: 'hermes', ...options, ...drawing },
  )
  if (finishReason === 'length') return (content || JSON.stringify(toolCalls)).slice(-160)
  const most = options.parallel ? Number.POSITIVE_INFINITY : 1
  const calls = JSON.stringify(toolCalls)
  if (toolCalls.length < least || toolCalls.length > most) throw new Error(`calls ${calls}`)
  for (const { name, complete, arguments: given } of toolCalls) {
    const { toolChoice } = options
    const allowed = typeof toolChoice === 'object' ? name === toolChoice.name : Object.hasOwn(tools, name)
    if (!complete || !allowed) throw new Error(`calls ${calls}`)
    ;(await outputCheck(tools[name]?.parameters))(JSON.stringify(given))
  }
  return null
}

/** Five schemas, two sets of tools, and so on; the first seed of all, then the next of all. */
async function answers(run: string, engine: Engine): Promise<ReadonlyMap<string, Counts>> {
  const asks = [...spread(await schemaJobs(engine), 0), ...spread(toolJobs(engine), 0.5)]
  asks.sort((a, b) => a.at - b.at)
  const jobs = Array.from({ length: SEEDS }, (_, i) => asks.map(({ job }) => job(i + 1)))
  return await runJobs(run, jobs.flat(), AT_ONCE)
}

/** In an order that mixes what stands together, with its place from 0 to 1. */
const spread = <T>(list: readonly T[], offset: number) =>
  list.map((_, i) => ({ job: list[(i * 389) % list.length] as T, at: (i + offset) / list.length }))

/** The bundled model's folder with weights that are drawn anew, and a longer context. */
function randomWeights(): string {
  const folder = path.join(tempFolder(), 'random-weights')
  cpSync(TALES, folder, { recursive: true })
  // Definitions of tools take more than the 2048 tokens that it was made for.
  const config = path.join(folder, 'config.json')
  const shape: object = JSON.parse(readFileSync(config, 'utf8'))
  writeFileSync(config, JSON.stringify({ ...shape, max_position_embeddings: 8192 }))
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

function holds(run: string, all: ReadonlyMap<string, Counts>, least: number): void {
  expect(all.get('schemas')?.finished).toBeGreaterThan(0)
  for (const [group, counts] of all) {
    const { asked: names, ...rest } = counts
    const shown = { asked: names.size, ...rest }
    if (asked) console.log(`${run}: ${group}`, inspect(shown, { maxArrayLength: null, breakLength: 160 }))
    expect(counts.wrong).toEqual([])
    if (group !== 'tools, auto' && counts.answers > 0)
      expect(counts.finished / counts.answers).toBeGreaterThanOrEqual(least)
    if (!asked) continue
    const refused = Object.values(counts.refused).reduce((sum, one) => sum + one, 0)
    expect(refused).toBeLessThanOrEqual(0.25 * names.size)
    expect(counts.failed.length).toBeLessThanOrEqual(0.02 * counts.answers + 1)
  }
}

const here = existsSync(SMOLLM2)
const name = here ? 'SmolLM2' : 'SmolLM2 (../shared has none)'
it.skipIf(!here)(
  `${name} writes valid JSON and calls, or is refused by name, and finishes`,
  async () => {
    await using engine = await Engine.load(SMOLLM2, { threads: THREADS })
    holds('SmolLM2', await answers('SmolLM2', engine), asked ? 0.9 : 0.5)
  },
  14_400_000,
)

it('a model of random weights writes valid JSON and calls, whatever it would like to', async () => {
  await using engine = await Engine.load(randomWeights(), {
    threads: THREADS,
    chatTemplate: TEMPLATE,
    contextLength: 8192,
  })
  holds('random weights', await answers('random weights', engine), 0)
}, 14_400_000)
