/**
 * Tokens per second of one growing text, by what is cached before it: ours, llama.cpp's, and how near to the limit of
 * reading each token's weights and cache once.
 *
 *     node scripts/bench.mjs decode [mla-q8 gqa-q8 lite-q4 qwen-q4 ling-q4 smollm2 | FILE.gguf ...]
 *       [--contexts 0,512,2048] [--rounds 5] [--kernels native|wasm] [--threads 2] [--no-rival] [--models DIR] [--keep]
 *       [--against 'PROGRAM OPTIONS' ...]
 *
 * `--against` takes any program with llama-bench's options and JSON output instead of the llama.cpp that npm brings, such as
 * `--against 'build/bin/llama-bench -fa 1'`, and may be given several times.
 *
 * Behind more than 8,192 tokens llama.cpp's cache is its first 8,192 rows repeated (`contenders/long-state.ts`); ours has
 * read all of them.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { compareAgainst } from './contenders/against.ts'
import { compete } from './contenders/compete.ts'
import type { Contender } from './contenders/contender.ts'
import { repeatRows } from './contenders/long-state.ts'
import { stream } from './contenders/stream.ts'
import { SHAPES } from './models/shapes.ts'
import { workModel } from './models/work-model.ts'
import { higher, measureLimits } from './roofline/peaks.ts'
import { benchOptions } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'
import { stepWork } from './support/work.ts'

const STEPS = 16
const WARM_UP = 2
const LONGEST_READ = 8192

const options = benchOptions({ contexts: [0, 512, 2048] })
const { threads, kernels, rounds, rival } = options
const contexts = options.contexts.toSorted((a, b) => a - b)
const names = options.given.length > 0 ? options.given : ['mla-q8']
if (options.against.length > 0) {
  await compareAgainst(options, names, {
    kind: 'decode',
    test: depth => ({ depth, tokens: STEPS }),
    async prepare(ours, context) {
      await fill(ours, context)
      await ours.ask('write', { tokens: stream(context, WARM_UP) })
    },
    async measure(ours, context) {
      await ours.ask('truncate', { length: context })
      return (await ours.ask('write', { tokens: stream(context, STEPS) })).ms.reduce((a, b) => a + b, 0)
    },
  })
  process.exit(0)
}
const results: Record<string, unknown>[] = []
const table = [['model', 'context', 'ours, tok/s', 'llama.cpp, tok/s', 'flash', 'ratio', 'read, GB/s', 'of the limit']]

for (const name of names) {
  const model = workModel(name, options.models)
  const goesOn = SHAPES[name]?.carriesState
  const drift = (goesOn ? rounds : 1) * (STEPS + WARM_UP)
  const opened = { model, threads, kernels, contextLength: Math.max(...contexts) + drift + 64 }
  const before = await measureLimits(kernels, threads)
  const outcomes = await compete({
    ...opened,
    rival,
    rounds,
    contexts,
    async prepare(contender, context) {
      await fill(contender, context)
      await contender.ask('write', { tokens: stream(context, WARM_UP) })
    },
    async measure(contender, context) {
      if (!goesOn) await contender.ask('truncate', { length: context })
      return (await contender.ask('write', { tokens: stream(context, WARM_UP + STEPS) })).ms.slice(WARM_UP)
    },
  })
  const limits = higher(before, await measureLimits(kernels, threads))
  for (const { context, ours, rival: theirs, flash } of outcomes) {
    // A round counts as its median step: one that was interrupted says nothing of either.
    const rate = (list: readonly number[][]) => spread(list.map(ms => 1000 / spread(ms).median))
    const [us, them] = [rate(ours), rate(theirs)]
    const { weightBytes, cacheBytes } = (await stepWork(model, context + WARM_UP + STEPS / 2)).decode
    const bytesPerSecond = (weightBytes + cacheBytes) * us.median
    const share = limits && bytesPerSecond / limits.bytesPerSecond
    const ratio = flash === null ? null : us.median / them.median
    results.push({
      model: name,
      context,
      ours: us,
      rival: them,
      flash,
      ratio,
      weightBytes,
      cacheBytes,
      share,
      limits,
    })
    table.push([
      name,
      String(context),
      show(us),
      flash === null ? '' : show(them),
      flash === null ? '' : flash ? 'on' : 'off',
      ratio?.toFixed(2) ?? '',
      (bytesPerSecond / 1e9).toFixed(1),
      share === null ? '' : `${(100 * share).toFixed(0)} %`,
    ])
  }
}
printTable(table)
printJson('decode', { kernels, threads, results }, options.keep)

/** Brings the cache to so many tokens. */
async function fill(contender: Contender, context: number): Promise<void> {
  const { length } = await contender.ask('truncate', { length: context })
  const read = contender.isRival ? Math.min(context, LONGEST_READ) : context
  if (length < read) await contender.ask('read', { tokens: stream(length, read - length) })
  if (Math.max(length, read) >= context) return
  const folder = mkdtempSync(path.join(tmpdir(), 'latentkit-state-'))
  try {
    const file = path.join(folder, 'state')
    await contender.ask('save', { file })
    repeatRows(file, context)
    const { length: restored } = await contender.ask('restore', { file })
    mustBe(`${restored} tokens restored instead of ${context}`, restored === context)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
