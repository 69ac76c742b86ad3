/**
 * What `latentkit convert` writes, loaded by the real llama.cpp: its greedy text is ours, and so are the probabilities it
 * gives to a text. Its cache is f16, and on quantised weights it computes with 8-bit activations where ours, in exact
 * mode, are f32: so probabilities are near, not equal.
 */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Contender, rivalInstalled } from '../../bench/contenders/contender.ts'
import { openAdapter } from '../../src/adapter/open-adapter.ts'
import { preparedAdapter } from '../../src/adapter/prepared.ts'
import { modelFiles } from '../../src/checkpoint/find/folder.ts'
import { convertModel } from '../../src/conversion/convert.ts'
import { expectedPath, readExpected } from '../../src/inspection/verify/expected.ts'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { loadModel } from '../../src/model/load.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { randomAdapter } from '../adapter/random-adapter.ts'
import { checkpointFolders, familyFolders, ggufFiles } from '../support/all-fixtures.ts'
import { tempFolder } from '../support/temp-folder.ts'

const TALES = join(import.meta.dirname, '../../models/tales-mla-8m')
const models = new Map([['tales-mla-8m', TALES], ...checkpointFolders(), ...familyFolders(), ...ggufFiles()])
const f32 = { weights: 'f32' } as const
const legacyMla = true

/** Mean difference of a token's natural logarithm of probability. */
const NEAR = { f32: 0.01, f16: 0.01, q8_0: 0.02, q4_k: 0.05, kept: 0.05 } as const
type Options = { readonly weights?: Exclude<keyof typeof NEAR, 'kept'>; readonly legacyMla?: boolean }

const CASES: readonly (readonly [model: string, options: Options])[] = [
  ['tales-mla-8m', f32],
  ['tales-mla-8m', { ...f32, legacyMla }],
  ['tales-mla-8m', { weights: 'q8_0' }],
  ['tales-mla-8m', { weights: 'q8_0', legacyMla }],
  ['tales-mla-8m', { weights: 'q4_k' }],
  ['deepseek-v3', f32],
  ['deepseek-v3', { ...f32, legacyMla }],
  ['kimi-k2', f32],
  ['kimi-k2', { ...f32, legacyMla }],
  ['glm4-moe-lite', f32],
  ['youtu', f32],
  ['youtu', { ...f32, legacyMla }],
  ['llama-gqa', f32],
  ['llama3-rope', f32],
  ['qwen2', f32],
  ['qwen3', f32],
  ['gemma3-mqa', f32],
  ['gemma4', f32],
  ['qwen3-5', f32],
  ['qwen3-5-moe', f32],
  ['lfm2', f32],
  ['kimi-linear', f32],
  ['bailing-hybrid', f32],
  ['falcon-mqa', f32],
  ['gpt2', f32],
  // Files that become files: the blocks stay, or are made again in the other layout.
  ['deepseek2-dense-legacy-f16', {}],
  ['deepseek2-dense-q8_0', {}],
  ['deepseek2-dense-q8_0', { legacyMla }],
  ['llama-gqa-q4_1', {}],
]

const needs = rivalInstalled ? null : 'node bench/rival/install.mjs'

describe.skipIf(needs !== null)(`llama.cpp on what convert writes${needs ? `, needs ${needs}` : ''}`, () => {
  let rival: Contender
  beforeAll(() => {
    rival = Contender.rival()
  })
  afterAll(() => rival?.close())

  for (const [name, options] of CASES) {
    const model = models.get(name)
    const title = [name, options.weights, options.legacyMla && 'legacy layout'].filter(Boolean).join(', ')
    it.skipIf(model === undefined)(title, async () => {
      const source = model as string
      const file = join(tempFolder(), `${name}.gguf`)
      await convertModel(source, file, options)
      const config = (await openModel(source)).config
      const [prompt] = await readExpected(expectedPath(source), config)
      const tokens = prompt?.tokens ?? []
      await rival.ask('open', { model: file, threads: 1, contextLength: 512 })
      const { tokenIds } = await rival.ask('greedy', { tokens, maxTokens: 32 })
      const text = [...tokens, ...tokenIds]
      const { logprobs } = await rival.ask('score', { tokens: text })
      const ours = await ownDistributions(file, text)

      const near = NEAR[options.weights ?? 'kept']
      const off = logprobs.map((theirs, i) => theirs - ours(i, text[i + 1] as number))
      expect(mean(off.map(Math.abs))).toBeLessThan(near)
      // Perplexities: the differences of single tokens nearly cancel.
      expect(Math.abs(Math.expm1(mean(off)))).toBeLessThan(near / 2)
      // Every token that llama.cpp chose is the likeliest here, or as likely to within what arithmetic differs by.
      for (let i = tokens.length - 1; i < text.length - 1; i++) {
        expect(ours(i) - ours(i, text[i + 1] as number)).toBeLessThan(10 * near)
      }
    })
  }

  const YARN = { rope_type: 'yarn', factor: 8, original_max_position_embeddings: 16 }
  const DEEPSEEK = ['deepseek-v3', 'mistral4'].flatMap(name =>
    [{}, { attention_factor: 1.2 }, { mscale: 0.7, mscale_all_dim: 0.7 }, { mscale: 0.5, mscale_all_dim: 1 }].map(
      factors => [name, { ...YARN, mscale: 0, mscale_all_dim: 0, ...factors }] as const,
    ),
  )
  it.each(DEEPSEEK)('%s with the positions of %j', async (name, scaling) => {
    const source = await withScaling(models.get(name) as string, scaling)
    const file = join(tempFolder(), `${name}.gguf`)
    await convertModel(source, file, f32)
    const [prompt] = await readExpected(expectedPath(source), (await openModel(source)).config)
    const tokens = prompt?.tokens ?? []
    await rival.ask('open', { model: file, threads: 1, contextLength: 512 })
    const { logprobs } = await rival.ask('score', { tokens })
    const ours = await ownDistributions(source, tokens)
    expect(mean(logprobs.map((theirs, i) => Math.abs(theirs - ours(i, tokens[i + 1] as number))))).toBeLessThan(
      2 * NEAR.f32,
    )
  })

  it.each([
    ['llama-gqa', undefined],
    ['qwen2', undefined],
    ['gpt2', undefined],
    ['tales-mla-8m', ['o_proj', 'gate_proj', 'up_proj', 'down_proj']],
  ])('%s with an adapter in a GGUF file', async (name, targets) => {
    const source = models.get(name) as string
    const folder = tempFolder()
    const [file, lora] = [join(folder, 'model.gguf'), join(folder, 'lora.gguf')]
    await convertModel(source, file, f32)
    await randomAdapter(await openModel(source), join(folder, 'adapter'), targets)
    await convertModel(join(folder, 'adapter'), lora, { base: source })
    const [prompt] = await readExpected(expectedPath(source), (await openModel(source)).config)
    const tokens = prompt?.tokens ?? []
    const score = async (adapter: { lora?: string }) => {
      await rival.ask('open', { model: file, threads: 1, contextLength: 512, ...adapter })
      return (await rival.ask('score', { tokens })).logprobs
    }
    const theirs = await score({ lora })
    const ours = await ownDistributions(file, tokens, lora)
    const off = theirs.map((logprob, i) => Math.abs(logprob - ours(i, tokens[i + 1] as number)))
    expect(mean(off)).toBeLessThan(NEAR.f32)
    const without = await score({})
    expect(mean(without.map((logprob, i) => Math.abs(logprob - (theirs[i] as number))))).toBeGreaterThan(5 * NEAR.f32)
  })

  const factors = Array.from({ length: 12 }, (_, i) => 1 + i / 4)
  const LONG = {
    rope_type: 'longrope',
    short_factor: factors,
    long_factor: factors,
    original_max_position_embeddings: 32,
  }
  it.each([
    ['as they are', null],
    ['stretched, and what is rotated with them', LONG],
  ])('MiniCPM3, positions %s: the same text; the scale of its logits is built into llama.cpp', async (_, scaling) => {
    const given = models.get('minicpm3') as string
    const source = scaling ? await withScaling(given, scaling) : given
    const file = join(tempFolder(), 'minicpm3.gguf')
    await convertModel(source, file, f32)
    const [prompt] = await readExpected(expectedPath(source), (await openModel(source)).config)
    const tokens = prompt?.tokens ?? []
    await rival.ask('open', { model: file, threads: 1, contextLength: 512 })
    const { tokenIds } = await rival.ask('greedy', { tokens, maxTokens: 32 })
    const ours = await ownDistributions(source, [...tokens, ...tokenIds])
    for (const [i, token] of tokenIds.entries()) {
      expect(ours(tokens.length - 1 + i) - ours(tokens.length - 1 + i, token)).toBeLessThan(10 * NEAR.f32)
    }
  })
})

/** A copy of a model with other positions; the numbers beside it are not its own. */
async function withScaling(source: string, scaling: object): Promise<string> {
  const folder = join(tempFolder(), 'model')
  await cp(source, folder, { recursive: true })
  const file = join(folder, 'config.json')
  const whole = JSON.parse(await readFile(file, 'utf8'))
  const { rope_parameters, ...config } = whole.text_config ?? whole
  const theta = rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000
  const rope = { rope_scaling: null, rope_parameters: { rope_theta: theta, ...scaling } }
  const changed = { ...config, max_position_embeddings: 128, ...rope }
  await writeFile(file, JSON.stringify(whole.text_config ? { ...whole, text_config: changed } : changed))
  return folder
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b) / values.length
}

/** In exact mode: natural logarithm of a token's probability behind position i; without a token, of the likeliest. */
async function ownDistributions(path: string, tokens: readonly number[], lora?: string) {
  const kernels = nativeUnavailable() === null ? await createNativeKernels({ exact: true }) : createReferenceKernels()
  const opened = await openModel(path)
  const adapter = lora === undefined ? null : await openAdapter(await modelFiles(lora), opened)
  const adapters = adapter && { adapters: preparedAdapter(adapter, opened, source => kernels.prepare(source)) }
  const model = await loadModel(opened, kernels, { cacheType: 'f32', ...adapters })
  const cache = model.sequence(tokens.length)
  try {
    const input = { tokens, cache, prompt: { start: 0, end: tokens.length }, logits: 'all' } as const
    const logits = (await kernels.memory.read(await model.forward([input]))) as Float32Array
    const { vocabSize: V } = model.config
    return (i: number, token?: number): number => {
      const row = logits.subarray(i * V, (i + 1) * V)
      const max = row.reduce((a, b) => Math.max(a, b))
      const sum = row.reduce((all, v) => all + Math.exp(v - max), 0)
      return (token === undefined ? max : (row[token] as number)) - max - Math.log(sum)
    }
  } finally {
    cache.dispose()
    model.dispose()
    kernels.dispose()
  }
}
