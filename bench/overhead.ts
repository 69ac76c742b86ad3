/**
 * How much of a token's time is spent outside the kernels: recording operations, reading logits, sampling, text, the
 * loop itself. On the bundled model, where the kernels have least to do; at most 10 % is the aim.
 *
 *     node scripts/bench.mjs overhead [native|wasm] [tokens]
 */
import { readFileSync } from 'node:fs'
import { Host } from '../src/engine/host/host.ts'
import { loadInNode } from '../src/engine/host/node/platform.ts'
import type { FromHost } from '../src/engine/types/protocol.ts'
import type { KernelChoice } from '../src/index.ts'
import type { Kernels } from '../src/kernels/contract/kernels.ts'
import { oneOf, positive } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const TALES = 'models/tales-mla-8m'
const [choice = 'auto', tokens = '128'] = process.argv.slice(2)
const kernels: KernelChoice = oneOf(choice, 'the kernels', ['auto', 'native', 'wasm'])
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

/** A step that runs again is a submit, too. */
function watchRecordings(kernels: Kernels): void {
  const recording = kernels.recording?.bind(kernels)
  if (!recording) return
  kernels.recording = () => {
    const made = recording()
    watch(made, 'run', 'submit')
    return made
  }
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
  port: { postMessage: message => receive(message), close: () => {} },
  pause: () => new Promise(resolve => setImmediate(resolve)),
  load: async (...args) => {
    const parts = await loadInNode(...args)
    watch(parts.kernels, 'submit', 'submit')
    watchRecordings(parts.kernels)
    watch(parts.kernels.memory, 'read', 'read')
    watch(parts.model, 'forward', 'forward')
    return parts
  },
})
const ready = next('ready')
host.receive({
  type: 'load',
  source: TALES,
  options: { threads: 1, cacheType: 'f32', kernels },
})
const { info } = await ready

/** The likeliest token, what `npm start` asks for, and the model's own generation_config.json: 0.7, top-p 0.95. */
const MODES = {
  greedy: { temperature: 0 },
  story: { temperature: 0.7, topP: 1, minP: 0.1, repetitionPenalty: 1.05, seed: 1 },
  sampled: { seed: 1 },
} as const
type Mode = keyof typeof MODES

let id = 0
async function generate(maxTokens: number, mode: Mode) {
  const session = id++
  host.receive({ type: 'open', session, options: {} })
  const finished = next('finished')
  spent.submit = spent.forward = spent.read = 0
  const start = performance.now()
  const options = { ...MODES[mode], maxTokens, ignoreEos: true }
  host.receive({ type: 'prompt', id: id++, session, prompt, options })
  const { completion } = await finished
  const total = performance.now() - start
  const closed = next('reply')
  host.receive({ type: 'call', id: id++, call: { method: 'close', session } })
  await closed
  return { completion, total, ...spent }
}
type Run = Awaited<ReturnType<typeof generate>>

const first = await generate(128, 'greedy')
mustBe(`the text is not the expected one:\n${first.completion.text}`, first.completion.text === greedyText)

const n = positive(tokens, 'the number of tokens')
const modes = Object.keys(MODES) as Mode[]
const runs: Record<Mode, Run[]> = { greedy: [], story: [], sampled: [] }
for (let i = 0; i < 15; i++) for (const mode of modes) runs[mode].push(await generate(n, mode))

function summary(of: readonly Run[]) {
  const perToken = (part: (run: Run) => number) => spread(of.map(run => part(run) / n))
  return {
    total: perToken(r => r.total),
    submit: perToken(r => r.submit),
    record: perToken(r => r.forward - r.submit),
    read: perToken(r => r.read),
    rest: perToken(r => r.total - r.forward - r.read),
    outsidePercent: spread(of.map(r => (100 * (r.total - r.submit)) / r.total)),
  }
}
const summaries = modes.map(mode => summary(runs[mode]))
const { name, isa } = info.kernels
console.log(`${info.name}, ${name} ${isa}, 1 thread, ${n} tokens, ${runs.greedy.length} runs; median (p10 … p90)`)
const row = (label: string, part: keyof ReturnType<typeof summary>, digits = 3) => [
  label,
  ...summaries.map(s => show(s[part], digits)),
]
printTable([
  ['ms per token', ...modes],
  row('whole step', 'total'),
  row('in kernels.submit', 'submit'),
  row('plan and record', 'record'),
  row('read logits', 'read'),
  row('sample, text, loop', 'rest'),
  row('outside kernels, %', 'outsidePercent', 1),
])
const results = Object.fromEntries(modes.map((mode, i) => [mode, summaries[i]]))
printJson('overhead', { kernels: info.kernels, tokens: n, ...results })
host.receive({ type: 'dispose' })
