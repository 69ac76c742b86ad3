/**
 * What dropping tokens from the middle of a past costs and changes, against computing what is left: KL divergence of the
 * next-token distributions over 64 tokens of the text itself, in nats, and the time of both.
 *
 *     node scripts/bench.mjs context-shift [model] [text file] [windows]
 */
import { readFileSync } from 'node:fs'
import type { SequenceCache } from '../src/cache/sequence-cache.ts'
import { loadInNode } from '../src/engine/host/node/platform.ts'
import { Timeline } from '../src/engine/past/timeline.ts'
import { rowRules } from '../src/nn/provenance.ts'
import { positive } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const [source = 'models/tales-mla-8m', file = '../shared/data/fairytales.txt', count = '20'] = process.argv.slice(2)
const { model, tokenizer, kernels, info } = await loadInNode(
  source,
  { cacheType: 'f16' },
  { report: () => {}, signal: new AbortController().signal },
)
const PAST = 1024
const CONTINUATION = 64
/** Dropped from position 128 on. */
const DROPPED = [16, 128, 512]
const ids = tokenizer.encode(readFileSync(file, 'utf8').slice(0, 400_000), { addSpecialTokens: false })
const windows = Math.min(positive(count, 'the number of windows'), Math.floor(ids.length / (PAST + CONTINUATION)))
const { vocabSize } = model.config

async function read(cache: SequenceCache, tokens: readonly number[], logits: 'all' | 'none'): Promise<Float32Array> {
  const prompt = { start: cache.length, end: cache.length + tokens.length }
  let rows = new Float32Array()
  for (let at = 0; at < tokens.length; at += 512) {
    const part = await model.forward([{ tokens: tokens.slice(at, at + 512), cache, prompt, logits }])
    if (logits === 'all') rows = (await kernels.memory.read(part)) as Float32Array<ArrayBuffer>
  }
  return rows
}

function logSoftmax(row: Float32Array): Float64Array {
  const top = row.reduce((a, b) => Math.max(a, b))
  const sum = row.reduce((n, x) => n + Math.exp(x - top), 0)
  return Float64Array.from(row, x => x - top - Math.log(sum))
}

/** Mean KL of q from p in nats, and how often both find the same token likeliest. */
function compare(p: Float32Array, q: Float32Array): { readonly kl: number; readonly same: number } {
  let kl = 0
  let same = 0
  for (let t = 0; t < CONTINUATION; t++) {
    const [a, b] = [p, q].map(x => logSoftmax(x.subarray(t * vocabSize, (t + 1) * vocabSize))) as [
      Float64Array,
      Float64Array,
    ]
    kl += a.reduce((n, x, i) => n + Math.exp(x) * (x - (b[i] as number)), 0)
    if (a.indexOf(Math.max(...a)) === b.indexOf(Math.max(...b))) same++
  }
  return { kl: kl / CONTINUATION, same: same / CONTINUATION }
}

const mean = (values: readonly number[]) => values.reduce((n, x) => n + x, 0) / values.length
const results = []
for (const dropped of DROPPED) {
  const [shifted, whole]: { kl: number; same: number }[][] = [[], []]
  const [shiftMs, againMs]: number[][] = [[], []]
  for (let w = 0; w < windows; w++) {
    const past = ids.slice(w * (PAST + CONTINUATION)).slice(0, PAST)
    const next = ids.slice(w * (PAST + CONTINUATION) + PAST).slice(0, CONTINUATION)
    const timeline = new Timeline(model.sequence(), { rules: rowRules(model.config), mover: model, prefixes: null })
    await read(timeline.cache, past, 'none')
    timeline.become(past, false)
    const full = timeline.fork()
    const start = performance.now()
    await timeline.drop(128, 128 + dropped)
    shiftMs?.push(performance.now() - start)
    const rest = [...past.slice(0, 128), ...past.slice(128 + dropped)]
    mustBe('the past after the drop', timeline.cache.length === rest.length)
    const again = model.sequence()
    const began = performance.now()
    await read(again, rest, 'none')
    againMs?.push(performance.now() - began)
    const truth = await read(again, next, 'all')
    shifted?.push(compare(truth, await read(timeline.cache, next, 'all')))
    whole?.push(compare(truth, await read(full.cache, next, 'all')))
    for (const cache of [again]) cache.dispose()
    timeline.dispose()
    full.dispose()
  }
  results.push({
    dropped,
    kl: mean((shifted ?? []).map(x => x.kl)),
    sameTop: mean((shifted ?? []).map(x => x.same)),
    klOfUncut: mean((whole ?? []).map(x => x.kl)),
    shiftMs: spread(shiftMs ?? []),
    recomputeMs: spread(againMs ?? []),
  })
}
console.log(
  `${info.name}: ${PAST} tokens, some dropped from position 128 on; ${windows} windows of ${CONTINUATION} tokens`,
)
printTable([
  ['dropped', 'KL, moved', 'same top', 'KL, nothing dropped', 'ms, moved', 'ms, computed anew'],
  ...results.map(r => [
    String(r.dropped),
    r.kl.toFixed(4),
    `${(100 * r.sameTop).toFixed(1)} %`,
    r.klOfUncut.toFixed(4),
    show(r.shiftMs),
    show(r.recomputeMs),
  ]),
])
printJson('context-shift', { model: info.name, past: PAST, windows, results })
model.dispose()
kernels.dispose()
