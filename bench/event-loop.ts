/**
 * Whether the caller's event loop stays free while the engine generates: the loop's delay in a process that only waits,
 * and in one whose engine reads prompts and writes text with one compute thread, so that a core is left to the caller.
 * At most 5 ms more at the 99th percentile is the aim.
 *
 *     node scripts/bench.mjs event-loop [seconds] [rounds]
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Engine } from '../src/index.ts'
import { positive } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const seconds = positive(process.argv[2] ?? '5', 'the number of seconds')
const rounds = positive(process.argv[3] ?? '5', 'the number of rounds')
const PROMPT = 'Once upon a time, there was a little girl named Lily. '

interface Delay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** The loop's delay while `work` runs, in milliseconds; the timer's own period of 1 ms is part of it. */
async function delayDuring(work: () => Promise<void>): Promise<Delay> {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  await work()
  histogram.disable()
  const ms = (n: number) => n / 1e6
  return { p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max) }
}

const engine = await Engine.load('models/tales-mla-8m', { threads: 1 })
let tokens = 0

/** Prompts of 600 tokens and texts of 100, chunk by chunk. */
async function generate(): Promise<void> {
  const end = performance.now() + 1000 * seconds
  const session = engine.session()
  while (performance.now() < end) {
    await session.reset()
    const generation = session.prompt(PROMPT.repeat(45), { maxTokens: 100, ignoreEos: true, reuse: false })
    for await (const _ of generation) tokens++
  }
  await session.dispose()
}

await generate()
const idle: Delay[] = []
const busy: Delay[] = []
tokens = 0
for (let i = 0; i < rounds; i++) {
  idle.push(await delayDuring(() => new Promise(resolve => setTimeout(resolve, 1000 * seconds))))
  busy.push(await delayDuring(generate))
}
mustBe('nothing was generated', tokens > 0)
await engine.dispose()

const p99 = { idle: spread(idle.map(d => d.p99)), busy: spread(busy.map(d => d.p99)) }
const row = (name: string, delays: readonly Delay[]) => [
  name,
  show(spread(delays.map(d => d.p50))),
  show(spread(delays.map(d => d.p99))),
  show(spread(delays.map(d => d.max))),
]
printTable([['delay, ms', 'p50', 'p99', 'max'], row('idle', idle), row('generating', busy)])
const more = p99.busy.median - p99.idle.median
console.log(`p99 while generating ${tokens} tokens: ${more.toFixed(2)} ms more than idle`)
printJson('event-loop', { seconds, rounds, tokens, p99Ms: p99, moreMs: more, idle, busy })
