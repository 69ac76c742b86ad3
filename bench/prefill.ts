/**
 * Tokens per second of reading a prompt: of the whole, and of its last part (after the previous context in the list). For
 * latentkit and llama.cpp; also the share of the peak rate of 8-bit products that the prompt's products need.
 *
 *     node scripts/bench.mjs prefill [mla-q8 gqa-q8 lite-q4 qwen-q4 ling-q4 smollm2 | FILE.gguf ...]
 *       [--contexts 512,2048,4096] [--rounds 5] [--kernels native|wasm] [--threads 2] [--no-rival] [--models DIR] [--keep]
 *       [--against 'PROGRAM OPTIONS' ...]
 *
 * `--against`: as in `decode`; whole prompts are read then.
 */
import { compareAgainst } from './contenders/against.ts'
import { compete } from './contenders/compete.ts'
import type { Contender } from './contenders/contender.ts'
import { stream } from './contenders/stream.ts'
import { workModel } from './models/work-model.ts'
import { higher, measureLimits } from './roofline/peaks.ts'
import { benchOptions } from './support/options.ts'
import { printJson, printTable, type Spread, show, spread } from './support/report.ts'
import { stepWork } from './support/work.ts'

const WARM_UP = 64

const options = benchOptions({ contexts: [512, 2048, 4096] })
const { threads, kernels, rounds, rival } = options
const contexts = options.contexts.toSorted((a, b) => a - b)
const longest = Math.max(...contexts)
const names = options.given.length > 0 ? options.given : ['mla-q8']
if (options.against.length > 0) {
  const read = async (ours: Contender, length: number) => {
    await ours.ask('truncate', { length: 0 })
    return (await ours.ask('read', { tokens: stream(0, length) })).ms
  }
  await compareAgainst(options, names, {
    kind: 'prefill',
    test: tokens => ({ depth: 0, tokens }),
    prepare: async ours => void (await read(ours, WARM_UP)),
    measure: read,
  })
  process.exit(0)
}
const results: Record<string, unknown>[] = []
const table = [['model', 'tokens', 'ours, tok/s', 'llama.cpp, tok/s', 'flash', 'ratio', 'of the 8-bit peak']]

for (const name of names) {
  const model = workModel(name, options.models)
  const opened = { model, threads, kernels, contextLength: longest + 64 }
  const before = await measureLimits(kernels, threads)
  // A round reads the longest prompt once, stretch by stretch; shorter prompts are its beginnings.
  const [outcome] = await compete({
    ...opened,
    rival,
    rounds,
    contexts: [longest],
    prepare: async contender => {
      await contender.ask('read', { tokens: stream(0, WARM_UP) })
    },
    async measure(contender) {
      await contender.ask('truncate', { length: 0 })
      const ms: number[] = []
      for (const [i, end] of contexts.entries()) {
        const start = contexts[i - 1] ?? 0
        ms.push((await contender.ask('read', { tokens: stream(start, end - start) })).ms)
      }
      return ms
    },
  })
  if (!outcome) continue
  const limits = higher(before, await measureLimits(kernels, threads))
  const { ours, rival: theirs, flash } = outcome
  for (const [i, end] of contexts.entries()) {
    for (const start of i === 0 ? [0] : [0, contexts[i - 1] as number]) {
      const rate = (list: readonly number[][]): Spread =>
        spread(list.map(ms => (1000 * (end - start)) / ms.slice(start === 0 ? 0 : i, i + 1).reduce((a, b) => a + b, 0)))
      const [us, them] = [rate(ours), rate(theirs)]
      const operations = (await flops(model, end)) - (start === 0 ? 0 : await flops(model, start))
      const perSecond = (operations * us.median) / (end - start)
      const share = limits?.int8PerSecond ? perSecond / limits.int8PerSecond : null
      const ratio = flash === null ? null : us.median / them.median
      results.push({ model: name, start, end, ours: us, rival: them, flash, ratio, operations, share, limits })
      table.push([
        name,
        start === 0 ? String(end) : `${start} … ${end}`,
        show(us, 1),
        flash === null ? '' : show(them, 1),
        flash === null ? '' : flash ? 'on' : 'off',
        ratio?.toFixed(2) ?? '',
        share === null ? '' : `${(100 * share).toFixed(0)} %`,
      ])
    }
  }
}
printTable(table)
printJson('prefill', { kernels, threads, results }, options.keep)

/** Of a prompt from its beginning, attention included. */
async function flops(model: string, tokens: number): Promise<number> {
  const { linearFlops, attentionFlops } = (await stepWork(model, tokens)).prefill
  return linearFlops + attentionFlops
}
