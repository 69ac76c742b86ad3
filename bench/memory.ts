/**
 * Memory: resident bytes after loading and 16 tokens, at most the weights + 150 MB; and no growth over 10,000 generated
 * tokens, in texts one after the other, some of them in conversations that are reset, some aborted. Twice as many tokens
 * are generated before: until its first full collections V8 lets its heap grow, whatever a program does.
 *
 *     node scripts/bench.mjs memory [tokens] [native|wasm]
 */
import { type Completion, Engine, type KernelChoice } from '../src/index.ts'
import { oneOf, positive } from './support/options.ts'
import { mustBe, printJson, printTable } from './support/report.ts'

const total = positive(process.argv[2] ?? '10000', 'the number of tokens')
const kernels: KernelChoice = oneOf(process.argv[3] ?? 'auto', 'the kernels', ['auto', 'native', 'wasm'])
const PROMPT = 'Once upon a time, there was a little girl named Lily.'
const MB = 1 << 20

const collect = (globalThis as { gc?: () => void }).gc
/** Resident bytes, after a collection in this thread; the engine's own thread collects as it sees fit. */
async function resident(): Promise<number> {
  await new Promise(resolve => setTimeout(resolve, 200))
  collect?.()
  return process.memoryUsage().rss
}

const start = await resident()
// What the cache keeps on purpose is no leak: without it.
const engine = await Engine.load('models/tales-mla-8m', { kernels, keptBytes: 0 })
const first = await engine.generate(PROMPT, { maxTokens: 16, temperature: 0, ignoreEos: true })
mustBe('the first text is wrong', first.text.startsWith(' She loved to play'))
const loaded = await resident()
const { weightBytes } = engine.info

const samples: [tokens: number, rss: number][] = []
const session = engine.session()
let tokens = 0
let texts = 0
while (tokens < 3 * total) {
  const options = { maxTokens: 200, ignoreEos: true, seed: texts }
  const results: Completion[] = []
  if (texts % 3 === 0) await session.reset()
  if (texts % 5 === 4) {
    const generation = session.prompt(PROMPT, options)
    let count = 0
    for await (const _ of generation) if (++count === 20) break
    results.push(await generation)
  } else {
    results.push(...(await Promise.all([session.prompt(PROMPT, options), engine.generate(PROMPT.repeat(20), options)])))
  }
  for (const { usage } of results) tokens += usage.completionTokens
  if (++texts % 5 === 0) samples.push([tokens, await resident()])
}
samples.push([tokens, await resident()])
await engine.dispose()
const disposed = await resident()

const warm = samples.find(([n]) => n >= 2 * total)?.[1] ?? loaded
const end = samples.at(-1)?.[1] ?? loaded
const mb = (bytes: number) => (bytes / MB).toFixed(1)
printTable([
  ['resident memory', 'MB'],
  ['node alone', mb(start)],
  ['after load and 16 tokens', mb(loaded)],
  ['  of it weights', mb(weightBytes)],
  ['  beyond the weights', mb(loaded - weightBytes)],
  ...samples
    .filter((_, i) => i % Math.ceil(samples.length / 8) === 0)
    .map(([n, rss]) => [`after ${n} tokens`, mb(rss)]),
  [`at the end, ${tokens} tokens`, mb(end)],
  ['disposed of', mb(disposed)],
])
console.log(`growth over the last ${total} tokens: ${mb(end - warm)} MB`)
printJson('memory', {
  kernels: engine.info.kernels,
  start,
  loaded,
  weightBytes,
  samples,
  end,
  disposed,
  growth: end - warm,
})
