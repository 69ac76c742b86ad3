/**
 * Steps of training beside PyTorch on the CPU (f32, bf16 autocast, compiled), in turns, each in a process of its own: the same shape of
 * model, batch, threads and optimiser, random tokens. Tokens per second, their share of the machine's peak in products of f32 and of
 * bf16, and peak memory.
 *
 *     node scripts/bench.mjs train [tales twin smollm2 | CONFIG.json ...] [--batch 16] [--length 512] [--steps 3] [--rounds 2]
 *       [--threads 2] [--compute f32,bf16] [--python PROGRAM] [--script FILE] [--no-rival] [--profile] [--keep]
 *
 * A share counts what a step must multiply: 3 times the forward pass, attention's causal half. PyTorch needs a Python
 * that has torch and transformers (--python, or LATENTKIT_PYTHON), and ../shared/bench/train-pytorch.py (--script). `--profile` adds where the
 * time of our last step goes.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { withFloats } from '../src/conversion/hub/convert.ts'
import { measureLimit } from './roofline/peaks.ts'
import { oneOf, parseOptions, positive, refuse } from './support/options.ts'
import { mustBe, printJson, printTable } from './support/report.ts'
import { type Contender, runContender } from './train/contender.ts'
import { shapeOf } from './train/shapes.ts'
import { stepFlops } from './train/work.ts'

const { values, positionals } = parseOptions({
  allowPositionals: true,
  allowNegative: true,
  options: {
    batch: { type: 'string', default: '16' },
    length: { type: 'string', default: '512' },
    steps: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
    compute: { type: 'string', default: 'f32,bf16' },
    python: { type: 'string', default: process.env.LATENTKIT_PYTHON ?? 'python3' },
    script: { type: 'string', default: '../shared/bench/train-pytorch.py' },
    rival: { type: 'boolean', default: true },
    profile: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const [batch, length] = [positive(values.batch, '--batch'), positive(values.length, '--length')]
const [steps, rounds] = [positive(values.steps, '--steps'), positive(values.rounds, '--rounds')]
const threads = positive(values.threads, '--threads')
const { python, script, profile } = values
if (values.rival && !existsSync(script)) refuse(`${script} is not there; --script names it, --no-rival does without`)

const ours = values.compute
  .split(',')
  .map((compute): Contender => ({ kind: 'ours', compute: oneOf(compute, '--compute', ['f32', 'bf16']) }))
const rivals: readonly Contender[] = values.rival
  ? [
      { kind: 'pytorch', dtype: 'f32', compile: false },
      { kind: 'pytorch', dtype: 'bf16', compile: false },
      { kind: 'pytorch', dtype: 'f32', compile: true },
    ]
  : []

const peaks = { f32: await peakOf('f32'), bf16: await peakOf('bf16') }
const results: Record<string, unknown>[] = []
for (const name of positionals.length > 0 ? positionals : ['tales', 'twin']) {
  const config = shapeOf(name)
  const folder = path.resolve('build', 'bench')
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, `train-${path.basename(name, '.json')}.json`)
  writeFileSync(file, withFloats(JSON.stringify(config, null, 2)))
  const flops = stepFlops(config, length)
  let order = [...ours, ...rivals]
  const rates = new Map<Contender, { rates: number[]; peakMB: number; parameters: number }>()
  for (let round = 0; round < rounds; round++) {
    for (const contender of order) {
      const run = await runContender(contender, { file, batch, length, threads, steps, python, script, profile })
      if (!run) continue
      const known = rates.get(contender) ?? { rates: [], peakMB: 0, parameters: run.parameters }
      known.rates.push(run.median)
      known.peakMB = Math.max(known.peakMB, run.peakMB)
      rates.set(contender, known)
      console.error(`${name}, round ${round + 1}, ${nameOf(contender)}: ${run.median.toFixed(0)} tok/s`)
    }
    order = order.toReversed()
  }
  const counts = new Set([...rates.values()].map(({ parameters }) => parameters))
  mustBe(`contenders have ${[...counts].join(' and ')} parameters`, counts.size <= 1)
  const table = [['model', 'contender', 'tok/s', 'of the f32 peak', 'of the bf16 peak', 'peak MB']]
  for (const [contender, run] of rates) {
    const rate = run.rates.toSorted((a, b) => a - b)[run.rates.length >> 1] as number
    const share = (peak: number | null) => (peak === null ? null : (rate * flops) / peak)
    const shares = { ofF32: share(peaks.f32), ofBf16: share(peaks.bf16) }
    const percent = (x: number | null) => (x === null ? '' : `${(100 * x).toFixed(1)} %`)
    results.push({ model: name, contender: nameOf(contender), ...run, rate, ...shares })
    table.push([
      ...[name, nameOf(contender), rate.toFixed(0), percent(shares.ofF32), percent(shares.ofBf16)],
      run.peakMB.toFixed(0),
    ])
  }
  printTable(table)
}
printJson('train', { batch, length, threads, rounds, peaks, results }, values.keep)

/** FLOP per second of all threads together; null: not to be had. */
async function peakOf(limit: 'f32' | 'bf16'): Promise<number | null> {
  return (await measureLimit('native', limit, threads))?.at(-1) ?? null
}

function nameOf(contender: Contender): string {
  if (contender.kind === 'ours') return `ours, ${contender.compute}`
  return `PyTorch, ${contender.dtype}${contender.compile ? ', compiled' : ''}`
}
