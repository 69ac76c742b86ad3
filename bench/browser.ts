/**
 * Tokens per second in Chromium: latentkit/browser, the same module in Node, wllama on the same GGUF file, and transformers.js
 * on an ONNX export of the same weights, f32, 8-bit and 4-bit. Round by round in alternating order, each in a page of its own that is
 * cross-origin isolated. A ratio is the median of the rounds' ratios.
 *
 *     node scripts/bench.mjs browser [smollm2 | FILE.gguf] [--contexts 256] [--tokens 32] [--rounds 5] [--threads 2] [--no-rival]
 *       [--models DIR] [--json] [--keep]
 *
 * `--contexts`: tokens of the prompt, about. The first run installs the rivals from npm and what makes the export from PyPI
 * (onnx, gguf, numpy; LATENTKIT_PYTHON names a Python that has them) into `--models`, default ~/.cache/latentkit-bench. `--json`: nothing but the
 * line of JSON. LATENTKIT_CHROMIUM names a Chromium.
 */
import path from 'node:path'
import { Engine } from '../src/index.ts'
import { probeRelaxed } from '../src/kernels/core/wasm/sets.ts'
import { openBrowser } from '../test/page/chromium.ts'
import { type Asked, type Contenders, type Entrant, enterPage, openServer } from './browser/pages.ts'
import { exportOnnx, installRivals } from './browser/rivals.ts'
import { workModel } from './models/work-model.ts'
import { benchOptions } from './support/options.ts'
import { mustBe, printJson, printTable, type Spread, show, spread } from './support/report.ts'

/** What comes next is as good as certain, so that all contenders can be held to it. */
const SENTENCE = ' The history of bread begins in the Neolithic age, when people first ground grain between stones.'
const CERTAIN = /^ The history of bread begins in/

interface Rates {
  readonly name: string
  /** Tokens per second by round. */
  readonly prefill: number[]
  readonly decode: number[]
}

const options = benchOptions({ contexts: [256] })
const { given, rounds, threads, contexts, tokens, rival, models } = options
const gguf = workModel(given[0] ?? 'smollm2', models)
const source = `/gguf/${path.basename(gguf)}`
const rivals = rival ? installRivals(models) : '/nowhere'
const onnx = rival ? exportOnnx(gguf, models) : ''

const server = await openServer({ gguf: path.dirname(gguf), rivals, onnx: models })
const browser = await openBrowser()
const engine = await Engine.load(gguf, { kernels: 'wasm', threads: 1 })
try {
  const entrants = await enter()
  const results: Record<string, unknown>[] = []
  const table = [['prompt', 'contender', 'prefill, tok/s', 'ours / it', 'decode, tok/s', 'ours / it']]
  for (const context of contexts) {
    const rates = await compete(entrants, context)
    const [ours] = rates as [Rates]
    for (const { name, prefill, decode } of rates) {
      const ratios = { prefill: ratio(ours.prefill, prefill), decode: ratio(ours.decode, decode) }
      results.push({ context, name, prefill: spread(prefill), decode: spread(decode), ratios })
      const shown = [show(spread(prefill), 1), show(ratios.prefill), show(spread(decode), 1), show(ratios.decode)]
      table.push([String(context), name, ...shown])
    }
  }
  if (!options.json) printTable(table)
  printJson('browser', { model: path.basename(gguf), threads, tokens, results }, options.keep)
} finally {
  await engine.dispose()
  await browser.close()
  await server[Symbol.asyncDispose]()
}
process.exit(0)

async function inPage(open: string, options: object): Promise<Entrant> {
  const entrant = await enterPage(browser, server, open, options)
  console.error(`${entrant.name}: entered`)
  return entrant
}

/** Ours first. */
async function enter(): Promise<Entrant[]> {
  const ours = await inPage('openOurs', { source, threads })
  const entrants = [ours]
  // Node takes the set of the browser where it can run it; else both are compared on plain SIMD.
  const relaxed = probeRelaxed()
  const isa = ours.isa === 'relaxed-simd' && relaxed?.fused && relaxed.exact ? 'relaxed-simd' : 'simd128'
  if (ours.isa !== isa) entrants.push(await inPage('openOurs', { source, threads, isa }))
  const { openOurs } = (await import(path.resolve('bench', 'browser', 'contenders.mjs'))) as Contenders
  const node = await openOurs({ Engine, source: gguf, threads, isa })
  entrants.push({ ...node, name: `${node.name}, Node ${process.versions.node}` })
  if (!rival) return entrants
  entrants.push(await inPage('openWllama', { folder: '/rivals', source, threads }))
  for (const dtype of ['fp32', 'q8', 'q4']) {
    const from = { folder: '/rivals', source: `/onnx/${path.basename(onnx)}/`, threads, dtype }
    entrants.push({ ...(await inPage('openTransformers', from)), rounded: dtype === 'q4' })
  }
  return entrants
}

async function compete(entrants: readonly Entrant[], context: number): Promise<Rates[]> {
  const rates = entrants.map(({ name }): Rates => ({ name, prefill: [], decode: [] }))
  const each = (await engine.tokenize(SENTENCE)).length
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    // Another beginning each time: nobody may go on with rows of an earlier round.
    const text = `Page ${round}${context}.${SENTENCE.repeat(Math.max(2, Math.round(context / each)))}`
    const ids = await engine.tokenize(text)
    const order = [...entrants.keys()]
    if (round % 2 === 1) order.reverse()
    for (const i of order) {
      const { prefill, decode } = await measure(entrants[i] as Entrant, { text, ids, tokens }, round)
      if (round === 0) continue
      rates[i]?.prefill.push(prefill)
      rates[i]?.decode.push(decode)
    }
  }
  return rates
}

async function measure(entrant: Entrant, asked: Asked, round: number) {
  const written = await entrant.write(asked)
  const { firstMs, restMs, promptTokens } = written
  console.error(`${entrant.name}, round ${round}: ${firstMs.toFixed(0)} + ${restMs.toFixed(0)} ms`)
  const read = Math.abs(promptTokens - asked.ids.length) <= 2
  mustBe(`${entrant.name} read ${promptTokens} of ${asked.ids.length} tokens`, read)
  const text = written.text ?? (await engine.detokenize(written.ids ?? []))
  mustBe(`${entrant.name} wrote ${JSON.stringify(text)}`, entrant.rounded === true || CERTAIN.test(text))
  return { prefill: (1000 * promptTokens) / firstMs, decode: (1000 * (asked.tokens - 1)) / restMs }
}

function ratio(ours: readonly number[], theirs: readonly number[]): Spread {
  return spread(ours.map((rate, i) => rate / (theirs[i] as number)))
}
