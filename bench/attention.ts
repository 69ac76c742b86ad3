/**
 * MLA's two paths against query count and context, on a whole model with its own weights: where expanded begins to pay, and
 * so where the cells of `src/nn/attention/path.ts` should lie. What is not attention costs the same on both paths.
 *
 *     node scripts/bench.mjs attention [mla-q8 | FILE] [--contexts 1024,4096] [--rounds 5] [--threads 2] [--models DIR] [--keep]
 */

import { createNativeKernels } from '../src/kernels/core/node/addon.ts'
import { loadModel } from '../src/model/load.ts'
import { openModel } from '../src/model/open/open-model.ts'
import { PATH_GRID } from '../src/nn/attention/path.ts'
import { stream } from './contenders/stream.ts'
import { workModel } from './models/work-model.ts'
import { benchOptions } from './support/options.ts'
import { mustBe, printJson, printTable } from './support/report.ts'

const QUERIES = [1, 16, 32, 64, 128, 256, 512]
const STEP = 1024
/** As a share of the logits' spread: the two paths round 8-bit activations differently. */
const MAX_ERROR = 0.15

const { given, models, contexts, rounds, threads, keep } = benchOptions({ contexts: [1024, 4096] })
const name = given[0] ?? 'mla-q8'
const kernels = await createNativeKernels({ threads })
const model = await loadModel(await openModel(workModel(name, models)), kernels, { cacheType: 'bf16' })
const layers = model.config.layers.length
const cache = model.sequence(Math.max(...contexts) + Math.max(...QUERIES))

/** Milliseconds of a step of `queries` tokens after `context` cached ones, and its last logits. */
async function step(context: number, queries: number, path: 'expanded' | 'absorbed') {
  cache.truncate(context)
  const prompt = { start: 0, end: context + queries }
  const start = performance.now()
  const logits = await model.forward([{ tokens: stream(context, queries), cache, prompt, logits: 'last', path }])
  const read = (await kernels.memory.read(logits)) as Float32Array
  return { ms: performance.now() - start, logits: read }
}

function rms(list: Float32Array): number {
  return Math.sqrt(list.reduce((n, x) => n + x * x, 0) / list.length)
}

const median = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] as number
const rows: { context: number; queries: number; absorbedMs: number; expandedMs: number }[] = []
for (const context of contexts.toSorted((a, b) => a - b)) {
  for (let at = cache.length; at < context; at += STEP) {
    const tokens = stream(at, Math.min(STEP, context - at))
    await model.forward([{ tokens, cache, prompt: { start: 0, end: context }, logits: 'none' }])
  }
  for (const queries of QUERIES) {
    const [a, e] = [await step(context, queries, 'absorbed'), await step(context, queries, 'expanded')]
    const error = rms(a.logits.map((x, i) => x - (e.logits[i] as number))) / rms(a.logits)
    mustBe(`the paths differ by ${error.toFixed(2)} of the spread at ${queries} queries`, error < MAX_ERROR)
    const times = { absorbed: [] as number[], expanded: [] as number[] }
    for (let i = 0; i < rounds; i++) {
      for (const path of ['absorbed', 'expanded'] as const) times[path].push((await step(context, queries, path)).ms)
    }
    rows.push({ context, queries, absorbedMs: median(times.absorbed), expandedMs: median(times.expanded) })
    cache.truncate(context)
  }
}
console.log(`${name}, ${layers} layers, ${kernels.info.isa}, ${kernels.info.threads} threads; cells of ${PATH_GRID}`)
printTable([
  ['context', 'queries', 'absorbed, ms', 'expanded, ms', 'expanded saves in a layer, ms'],
  ...rows.map(r => [
    String(r.context),
    String(r.queries),
    r.absorbedMs.toFixed(1),
    r.expandedMs.toFixed(1),
    ((r.absorbedMs - r.expandedMs) / layers).toFixed(2),
  ]),
])
printJson('attention', { model: name, kernels: kernels.info, rows }, keep)
model.dispose()
kernels.dispose()
