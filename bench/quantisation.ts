/**
 * What each type of weights costs: bytes, bits per weight, perplexity, divergence from the weights as they are stored,
 * computed exactly, and how often the likeliest token stays the same. Weights are turned into each type while loading.
 * Quantised ones are computed with 8-bit activations, as everywhere; the last column has them computed exactly, what is
 * lost by the weights alone.
 *
 *     node scripts/bench.mjs quantisation [tales|smollm2|MODEL] [TEXT] [windows] [type,type,…]
 *
 * Texts that the models have not been trained on lie in ../shared/data; without them the model's own writing is taken.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EncodableType, Engine } from '../src/index.ts'
import { measurePerplexity, type PerplexityOptions, type PerplexityReport } from '../src/tools.ts'
import { oneOf, positive } from './support/options.ts'
import { mustBe, printJson, printTable } from './support/report.ts'

const TYPES: readonly EncodableType[] = [
  ...(['bf16', 'f16', 'q8_0', 'q6_k', 'q5_k', 'q5_1', 'q5_0', 'q4_k'] as const),
  ...(['q4_1', 'q4_0', 'iq4_nl', 'mxfp4', 'q3_k', 'q2_k'] as const),
]
const FLOATS: readonly (EncodableType | undefined)[] = ['f32', 'bf16', 'f16']
const SHARED = '../shared'
const SMOLLM2 = `${SHARED}/models/smollm2-135m-instruct`
const KNOWN: Readonly<Record<string, { readonly model: string; readonly text: string; readonly windows: number }>> = {
  tales: { model: 'models/tales-mla-8m', text: `${SHARED}/data/tinyshakespeare.txt`, windows: 20 },
  smollm2: { model: SMOLLM2, text: `${SHARED}/data/wikitext-2.test.raw`, windows: 4 },
}

const [name = 'tales', textFile = KNOWN[name]?.text, count, list] = process.argv.slice(2)
const model = KNOWN[name]?.model ?? name
const windows = positive(count ?? String(KNOWN[name]?.windows ?? 8), 'the number of windows')
const types = list ? list.split(',').map(type => oneOf(type, 'a type', TYPES)) : TYPES

const text = textFile && existsSync(textFile) ? readFileSync(textFile, 'utf8') : await ownWriting()
const folder = mkdtempSync(join(tmpdir(), 'latentkit-quantisation-'))
const reference = join(folder, 'stored.safetensors')
const measure = (options: PerplexityOptions) => measurePerplexity(model, text, { windows, ...options })
try {
  const stored = await measure({ exact: true, saveReference: reference })
  checkStored(stored)
  const rows: Row[] = [row('as stored', stored, stored)]
  for (const weights of [undefined, ...types]) {
    const given = { reference, ...(weights && { weights }) }
    const exact = await measure({ ...given, exact: true })
    if (weights === undefined) mustBe('the model is not its own equal', (exact.divergence?.kl.mean ?? 1) < 1e-6)
    const rounded = FLOATS.includes(weights) ? exact : await measure(given)
    // Without quantised blocks nothing is rounded.
    if (weights === undefined && (rounded.divergence?.kl.mean ?? 0) < 1e-6) continue
    rows.push(row(weights ?? 'as stored, 8-bit', rounded, exact))
    console.error(`${weights ?? 'as stored'}: perplexity ${rounded.perplexity.mean.toFixed(4)}`)
  }
  print(stored, rows)
} finally {
  rmSync(folder, { recursive: true })
}

interface Row {
  readonly type: string
  readonly bytes: number
  readonly bitsPerWeight: number
  readonly perplexity: number
  readonly perplexityError: number
  readonly divergence: PerplexityReport['divergence']
  readonly klExact: number
}

function row(type: string, { model, perplexity, divergence }: PerplexityReport, exact: PerplexityReport): Row {
  return {
    type,
    bytes: model.weightBytes,
    bitsPerWeight: (8 * model.weightBytes) / model.parameters,
    perplexity: perplexity.mean,
    perplexityError: perplexity.error,
    divergence,
    klExact: exact.divergence?.kl.mean ?? 0,
  }
}

/** The numbers are worth nothing if the model is not what its fixtures say. */
function checkStored({ afterEachWindow, perplexity }: PerplexityReport): void {
  mustBe('the perplexity is no number', Number.isFinite(perplexity.mean))
  if (name !== 'smollm2' || textFile !== KNOWN.smollm2?.text) return
  const { perplexity: expected } = JSON.parse(readFileSync(`${SMOLLM2}/expected.json`, 'utf8')) as {
    perplexity: { transformers: { after_each_window: number[] } }
  }
  const want = expected.transformers.after_each_window[afterEachWindow.length - 1] as number
  mustBe(`${perplexity.mean} instead of ${want}`, Math.abs(perplexity.mean / want - 1) < 5e-4)
}

/** In-domain and never seen by construction. */
async function ownWriting(): Promise<string> {
  const engine = await Engine.load(model, { exact: true })
  try {
    const maxTokens = Math.min(1024, engine.info.contextLength - 1)
    let written = ''
    for (let seed = 0; seed * maxTokens < 600 * windows; seed++) {
      const { text } = await engine.generate('', { maxTokens, seed, temperature: 1, topP: 1, ignoreEos: true })
      written += text
    }
    return written
  } finally {
    await engine.dispose()
  }
}

function print({ model: info, text: cut }: PerplexityReport, rows: readonly Row[]): void {
  const source = text && textFile && existsSync(textFile) ? textFile : "the model's own writing"
  console.log(`${info.name}, ${source}, ${cut.scored} tokens in ${cut.windows} windows of ${cut.window}`)
  printTable([
    ['weights', 'MiB', 'bits/weight', 'perplexity', 'ratio', 'KL, nats', 'KL 99 %', 'same top', 'KL, exact'],
    ...rows.map(({ type, bytes, bitsPerWeight, perplexity, divergence: d, klExact }) => [
      type,
      (bytes / 2 ** 20).toFixed(2),
      bitsPerWeight.toFixed(2),
      perplexity.toFixed(4),
      ...(d
        ? [
            `${d.perplexityRatio.mean.toFixed(4)} ± ${d.perplexityRatio.error.toFixed(4)}`,
            `${d.kl.mean.toFixed(5)} ± ${d.kl.error.toFixed(5)}`,
            d.klQuantiles.p99.toFixed(4),
            `${(100 * d.top1.mean).toFixed(1)} %`,
            klExact.toFixed(5),
          ]
        : ['1', '0', '0', '100 %', '0']),
    ]),
  ])
  printJson('quantisation', { model: info, text: { source, ...cut }, rows })
}
