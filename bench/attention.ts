/**
 * MLA's two paths against query count and context, one layer of DeepSeek-V2-Lite's attention (16 heads, 512 + 64,
 * 128 / 128) in bf16 cache: where expanded begins to pay, and so where the cells of `src/attention/path.ts` should lie.
 *
 *     node scripts/bench.mjs attention [context…]
 */
import { PATH_GRID } from '../src/attention/path.ts'
import { createNativeKernels } from '../src/kernels/native/addon.ts'
import type { Model } from '../src/model/model.ts'
import { randomModel } from '../test/support/random-model.ts'
import { positive } from './support/options.ts'
import { mustBe, printJson, printTable } from './support/report.ts'

const QUERIES = [1, 16, 32, 64, 128, 256, 512]
const ROUNDS = 5
const given = process.argv.slice(2).map(text => positive(text, 'the context'))
const contexts = given.length > 0 ? given : [1024, 4096]

const config = {
  model_type: 'deepseek_v3',
  vocab_size: 64,
  hidden_size: 64,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 16,
  q_lora_rank: null,
  kv_lora_rank: 512,
  qk_rope_head_dim: 64,
  qk_nope_head_dim: 128,
  v_head_dim: 128,
  max_position_embeddings: Math.max(...contexts) + Math.max(...QUERIES),
}
const kernels = await createNativeKernels({})
const model: Model = await randomModel(kernels, config, 1, { cacheType: 'bf16' })

const ids = (n: number) => Array.from({ length: n }, (_, i) => (i * 7) % config.vocab_size)
const cache = model.sequence()

/** Milliseconds of a step of `queries` tokens after `context` cached ones, and its last logits. */
async function step(context: number, queries: number, path: 'expanded' | 'absorbed') {
  cache.truncate(context)
  const prompt = { start: 0, end: context + queries }
  const start = performance.now()
  const logits = await model.forward([{ tokens: ids(queries), cache, prompt, logits: 'last', path }])
  const ms = performance.now() - start
  return { ms, logits: (await kernels.read(logits)) as Float32Array }
}

const median = (list: number[]) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)] as number
const rows: { context: number; queries: number; absorbedMs: number; expandedMs: number; ratio: number }[] = []
for (const context of contexts) {
  cache.truncate(0)
  for (let at = 0; at < context; at += 512) {
    const tokens = ids(Math.min(512, context - at))
    await model.forward([{ tokens, cache, prompt: { start: 0, end: context }, logits: 'none' }])
  }
  for (const queries of QUERIES) {
    const [a, e] = [await step(context, queries, 'absorbed'), await step(context, queries, 'expanded')]
    const worst = Math.max(...a.logits.map((x, i) => Math.abs(x - (e.logits[i] as number))))
    mustBe(`the paths differ by ${worst} at ${queries} queries after ${context}`, worst < 0.05)
    const times = { absorbed: [] as number[], expanded: [] as number[] }
    for (let i = 0; i < ROUNDS; i++) {
      for (const path of ['absorbed', 'expanded'] as const) times[path].push((await step(context, queries, path)).ms)
    }
    const [absorbedMs, expandedMs] = [median(times.absorbed), median(times.expanded)]
    rows.push({ context, queries, absorbedMs, expandedMs, ratio: absorbedMs / expandedMs })
  }
}
console.log(
  `one layer, 16 heads, 512 + 64, ${kernels.info.isa}, ${kernels.info.threads} threads; cells of ${PATH_GRID}`,
)
printTable([
  ['context', 'queries', 'absorbed ms', 'expanded ms', 'absorbed / expanded'],
  ...rows.map(r => [
    String(r.context),
    String(r.queries),
    r.absorbedMs.toFixed(2),
    r.expandedMs.toFixed(2),
    r.ratio.toFixed(2),
  ]),
])
printJson('attention', { kernels: kernels.info, rows })
model.dispose()
kernels.dispose()
