/**
 * How much of a token's time is spent outside the kernels: recording operations, reading logits, sampling, text, the
 * loop itself. On the bundled model, where the kernels have least to do; at most 10 % is the aim.
 *
 *     node scripts/bench.mjs overhead [native|wasm] [tokens]
 */
import { readFileSync } from 'node:fs'
import { Host } from '../src/engine/host.ts'
import { loadParts } from '../src/engine/load-parts.ts'
import type { FromHost } from '../src/engine/protocol.ts'
import type { KernelChoice } from '../src/index.ts'
import { mustBe, printJson, printTable, show, spread } from './report.ts'

const TALES = 'models/tales-mla-8m'
const [choice = 'auto', tokens = '128'] = process.argv.slice(2)
const expected = JSON.parse(readFileSync(`${TALES}/expected.json`, 'utf8')) as {
  prompts: { text: string; greedy_text: string }[]
}
const { text: prompt, greedy_text: greedyText } = expected.prompts[0] as (typeof expected.prompts)[0]

/** Milliseconds in each part of the way, summed since the last reset. */
const spent = { submit: 0, forward: 0, read: 0 }

/** Adds the time of an asynchronous method to a counter. */
function watch<T extends object, K extends keyof T>(owner: T, method: K, counter: keyof typeof spent): void {
  const inner = (owner[method] as (...args: unknown[]) => Promise<unknown>).bind(owner)
  const timed = async (...args: unknown[]) => {
    const start = performance.now()
    try {
      return await inner(...args)
    } finally {
      spent[counter] += performance.now() - start
    }
  }
  Object.defineProperty(owner, method, { value: timed })
}

let receive: (message: FromHost) => void = () => {}
const next = <T extends FromHost['type']>(type: T) =>
  new Promise<FromHost & { type: T }>((resolve, reject) => {
    receive = message => {
      if (message.type === 'failed' || message.type === 'stopped') reject(new Error(message.error.message))
      if (message.type === type) resolve(message as FromHost & { type: T })
    }
  })

const host = new Host({
  port: { post: message => receive(message), close: () => {} },
  pause: () => new Promise(resolve => setImmediate(resolve)),
  load: async (...args) => {
    const parts = await loadParts(...args)
    watch(parts.kernels, 'submit', 'submit')
    if (parts.kernels.resubmit) watch(parts.kernels as Required<typeof parts.kernels>, 'resubmit', 'submit')
    watch(parts.kernels, 'read', 'read')
    watch(parts.model, 'forward', 'forward')
    return parts
  },
})
const ready = next('ready')
host.receive({
  type: 'load',
  source: TALES,
  options: { threads: 1, cacheType: 'f32', kernels: choice as KernelChoice },
})
const { info } = await ready

let id = 0
async function generate(maxTokens: number) {
  const session = id++
  host.receive({ type: 'open', session, options: {} })
  const finished = next('finished')
  spent.submit = spent.forward = spent.read = 0
  const start = performance.now()
  const options = { maxTokens, temperature: 0, ignoreEos: true }
  host.receive({ type: 'prompt', id: id++, session, prompt, options })
  const { completion } = await finished
  const total = performance.now() - start
  const closed = next('reply')
  host.receive({ type: 'call', id: id++, call: { method: 'close', session } })
  await closed
  return { completion, total, ...spent }
}

const first = await generate(128)
mustBe(`the text is not the expected one:\n${first.completion.text}`, first.completion.text === greedyText)

const n = Number(tokens)
const runs: Awaited<ReturnType<typeof generate>>[] = []
for (let i = 0; i < 20; i++) runs.push(await generate(n))
const perToken = (of: (run: Awaited<ReturnType<typeof generate>>) => number) => spread(runs.map(run => of(run) / n))
const outside = spread(runs.map(run => (100 * (run.total - run.submit)) / run.total))
const parts = {
  total: perToken(r => r.total),
  submit: perToken(r => r.submit),
  record: perToken(r => r.forward - r.submit),
  read: perToken(r => r.read),
  rest: perToken(r => r.total - r.forward - r.read),
}
console.log(`${info.name}, ${info.kernels.name} ${info.kernels.isa}, 1 thread, ${n} tokens, ${runs.length} runs`)
printTable([
  ['ms per token', 'median (p10 … p90)'],
  ['whole step', show(parts.total, 3)],
  ['in kernels.submit', show(parts.submit, 3)],
  ['plan and record', show(parts.record, 3)],
  ['read logits', show(parts.read, 3)],
  ['sample, text, loop', show(parts.rest, 3)],
  ['outside kernels, %', show(outside, 1)],
])
printJson('overhead', { kernels: info.kernels, tokens: n, perTokenMs: parts, outsidePercent: outside })
host.receive({ type: 'dispose' })
