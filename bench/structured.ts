/**
 * What a schema costs while a text is written: tokens per second beside free text, also where most of the text has to come
 * (long names of properties), the first token under 40 tools with long
 * texts, and the longest gap of another stream meanwhile. Aims: at most 3 % less, 200 ms later, 50 ms. The same texts and tools
 * under the grammar of node-llama-cpp, which llama.cpp holds (node bench/rival/install.mjs brings it), round by round in one run.
 *
 *     node scripts/bench.mjs structured [smollm2 | tales | FILE] [--rounds 5] [--threads 2] [--kernels native|wasm]
 *       [--no-rival] [--models DIR]
 */
import { Engine } from '../src/index.ts'
import { Contender, rivalInstalled } from './contenders/contender.ts'
import { workModel } from './models/work-model.ts'
import { benchOptions } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const TOKENS = 128
const PROMPT = 'A list of people as JSON:'
const PEOPLE = {
  type: 'array',
  minItems: 40,
  maxItems: 60,
  items: {
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 40 },
      age: { type: 'integer', minimum: 0, maximum: 150 },
      tags: { type: 'array', items: { type: 'string', maxLength: 20 }, maxItems: 5 },
    },
    required: ['name', 'age', 'tags'],
    additionalProperties: false,
  },
}
/** Most of the text are names. */
const NAMED = {
  type: 'array',
  minItems: 40,
  items: {
    type: 'object',
    properties: Object.fromEntries(
      ['identification_number', 'shipping_address_line', 'preferred_language', 'customer_satisfaction'].map(name => [
        name,
        { type: 'integer', minimum: 0, maximum: 9 },
      ]),
    ),
    required: ['identification_number', 'shipping_address_line', 'preferred_language', 'customer_satisfaction'],
    additionalProperties: false,
  },
}
const LONG = { type: 'string', maxLength: 100_000 }

/** 40 tools that no call before had. */
function tools(round: number) {
  const parameters = {
    type: 'object',
    properties: { text: LONG, n: { type: 'integer' }, list: { type: 'array', items: LONG } },
    required: ['text'],
    additionalProperties: false,
  }
  const tool = (i: number) => ({
    type: 'object',
    properties: { name: { const: `tool_${round}_${i}` }, arguments: parameters },
    required: ['name', 'arguments'],
    additionalProperties: false,
  })
  return { anyOf: Array.from({ length: 40 }, (_, i) => tool(i)) }
}

const { given, models, rounds, threads, kernels, rival } = benchOptions()
const model = given[0] ?? 'smollm2'
const theirs = rival && rivalInstalled ? Contender.rival() : null
await theirs?.ask('open', { model: workModel(model, models), threads, contextLength: 512 })
const engine = await Engine.load(workModel(model, models), { threads, kernels })

const opening = await engine.generate(PROMPT, { schema: PEOPLE, maxTokens: 1, seed: 0 })
await engine.generate(PROMPT, { schema: NAMED, maxTokens: 1, seed: 0 })
const rates = { free: [] as number[], held: [] as number[], named: [] as number[] }
/** Milliseconds of all processors per token, ours. */
const cpu = { free: [] as number[], held: [] as number[], named: [] as number[] }
const rivals = { free: [] as number[], held: [] as number[], later: [] as number[] }

async function timed<T>(times: number[], tokens: number, run: () => Promise<T>): Promise<T> {
  const before = process.cpuUsage()
  const result = await run()
  const { user, system } = process.cpuUsage(before)
  times.push((user + system) / 1000 / tokens)
  return result
}

async function rivalRound(contender: Contender, round: number): Promise<void> {
  const rate = async (schema?: object) => {
    const request = { text: PROMPT, maxTokens: TOKENS, seed: round + 1, ...(schema && { schema }) }
    const { tokens, ms } = await contender.ask('draw', request)
    return (1000 * (tokens - 1)) / ms
  }
  rivals.free.push(await rate())
  rivals.held.push(await rate(PEOPLE))
  const call = { text: 'Call a tool:', maxTokens: 2, seed: round + 1 }
  const plain = await contender.ask('draw', call)
  const held = await contender.ask('draw', { ...call, schema: tools(2 * round) })
  rivals.later.push(held.firstMs - plain.firstMs)
}
const later: number[] = []
const gaps = { before: [] as number[], beside: [] as number[] }
for (let round = 0; round < rounds; round++) {
  const common = { maxTokens: TOKENS, seed: round, temperature: 1 }
  const drawFree = () => timed(cpu.free, TOKENS, () => engine.generate(PROMPT, { ...common, ignoreEos: true }))
  const drawHeld = () => timed(cpu.held, TOKENS, () => engine.generate(PROMPT, { ...common, schema: PEOPLE }))
  // In turn, as a machine gets warmer.
  const before = round % 2 === 0 ? await drawFree() : null
  const held = await drawHeld()
  const free = before ?? (await drawFree())
  const named = await timed(cpu.named, TOKENS, () => engine.generate(PROMPT, { ...common, schema: NAMED }))
  mustBe('as many tokens with a schema as without', free.tokenIds.length === held.tokenIds.length)
  rates.free.push(free.timings.tokensPerSecond)
  rates.held.push(held.timings.tokensPerSecond)
  rates.named.push(named.timings.tokensPerSecond)
  const plain = await engine.generate('Call a tool:', { ...common, maxTokens: 2 })
  const call = await engine.generate('Call a tool:', { ...common, maxTokens: 2, schema: tools(2 * round) })
  later.push(call.timings.firstTokenMs - plain.timings.firstTokenMs)

  let calls = false
  let last = 0
  let [alone, beside] = [0, 0]
  const stream = (async () => {
    for await (const _ of engine.generate('Once upon a time', { ...common, maxTokens: 300, ignoreEos: true })) {
      const now = performance.now()
      if (last > 0 && calls) beside = Math.max(beside, now - last)
      else if (last > 0) alone = Math.max(alone, now - last)
      last = now
    }
  })()
  await new Promise(resolve => setTimeout(resolve, 500))
  calls = true
  await engine.generate('Call a tool:', { ...common, maxTokens: 16, schema: tools(2 * round + 1) })
  calls = false
  await stream
  gaps.before.push(alone)
  gaps.beside.push(beside)
  if (theirs) await rivalRound(theirs, round)
}
await theirs?.close()
await engine.dispose()

const first = opening.timings.firstTokenMs
printTable([
  [
    'tokens/s, free',
    'with a schema',
    'of long names',
    'first token of 40 tools later, ms',
    'longest gap, ms',
    'beside 40 tools',
    'first schema, ms',
  ],
  [
    ...[rates.free, rates.held, rates.named, later, gaps.before, gaps.beside].map(values => show(spread(values), 1)),
    first.toFixed(0),
  ],
])
const less = 100 * (1 - spread(rates.held).median / spread(rates.free).median)
console.log(`with a schema ${less.toFixed(1)} % fewer tokens per second (medians)`)
printTable([
  ['processor ms per token, free', 'with a schema', 'of long names'],
  [cpu.free, cpu.held, cpu.named].map(values => show(spread(values), 2)),
])
if (theirs) {
  printTable([
    ['node-llama-cpp: tokens/s, free', 'with its grammar', 'first token of 40 tools later, ms'],
    [rivals.free, rivals.held, rivals.later].map(values => show(spread(values), 1)),
  ])
}
printJson('structured', { model, threads, kernels, rounds, rates, cpu, later, gaps, first, rivals })
