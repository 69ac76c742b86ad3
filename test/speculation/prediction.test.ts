/**
 * A model's own module of multi-token prediction guesses ahead. Against the numbers of transformers (`mtp` of LATENTKIT_FIXTURES, or of the fixtures
 * beside the project): what the module predicts of a text, step by step. On a small model that is trained here: the text never depends on it.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/conversion/convert.ts'
import { deepseek2 } from '../../src/families/deepseek/gguf.ts'
import { CheckpointError, Engine, type LoadOptions, OptionError, type PromptOptions } from '../../src/index.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { loadPrediction } from '../../src/model/prediction.ts'
import { PredictionModel, PredictionProposer } from '../../src/speculation/prediction.ts'
import { train } from '../../src/training/index.ts'
import { Lab, sameBits } from '../engine/lab.ts'
import { type GgufTensorToWrite, type GgufValue, writeGguf } from '../support/gguf-writer.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { readSafetensors } from '../support/safetensors.ts'
import { EXPERTS, STORIES, smallModel } from '../training/small-model.ts'

const ROOT = process.env.LATENTKIT_FIXTURES ?? fileURLToPath(new URL('../../../shared/fixtures', import.meta.url))
const FIXTURE = [join(ROOT, 'mtp'), ROOT].find(folder => existsSync(join(folder, 'expected.safetensors'))) as string
/** Modules of other families (`test/interop/make_predictions.py`). */
const OTHERS = fileURLToPath(new URL('../fixtures/predictions', import.meta.url))
const FOLDERS = readdirSync(OTHERS).map(name => join(OTHERS, name))
/** More guesses than so many; random modules are seldom sure enough to make one, and are held to their numbers. */
const moreThan = (count: number, folder: string) => (/(?:bailing-hybrid|longcat-flash)$/.test(folder) ? -1 : count)

const place = mkdtempSync(join(tmpdir(), 'latentkit-drafts-'))
afterAll(() => rmSync(place, { recursive: true }))

/** The module of a model on its own, and what it makes of a text's states. */
async function moduleOf(folder: string, kernels: Kernels, tokenizer = true) {
  const opened = await openModel(folder, { tokenizer })
  const model = await loadModel(opened, kernels, { cacheType: 'f32' })
  const module = new PredictionModel(await loadPrediction(opened, model, kernels, { cacheType: 'f32' }))
  return { model, module }
}

const CASES_OF_NUMBERS = KERNEL_SETS.filter(({ missing }) => !missing).flatMap(({ name, make }) =>
  [FIXTURE, ...FOLDERS].filter(Boolean).map(folder => ({ name, make, folder, of: basename(folder) })),
)

describe.each(CASES_OF_NUMBERS)('$of, $name', ({ make, folder }) => {
  let kernels: Kernels
  let model: Model
  let module: PredictionModel
  const numbers = (name: string) => readSafetensors(join(folder, 'expected.safetensors')).get(name)?.data
  const ids = (name: string) => Array.from(numbers(name) as ArrayLike<number | bigint>, Number)

  beforeAll(async () => {
    kernels = await make({ threads: 1 })
    ;({ model, module } = await moduleOf(folder, kernels))
  })
  afterAll(() => {
    module.dispose()
    model.dispose()
    kernels.dispose()
  })

  it('predicts at each step of a text what transformers does, with rows of its own', async () => {
    const { checks } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
    const [prompt, greedy] = [ids('input_ids'), ids('greedy')]
    const cache = model.sequence()
    const own = module.model.sequence()
    const D = model.config.hiddenSize
    const run = async (tokens: readonly number[], prompt: { start: number; end: number } | null) => {
      cache.reserve(tokens.length)
      const { states } = await model.forwardStates([{ tokens, cache, prompt, logits: 'last' }])
      return (await kernels.memory.read(states)) as Float32Array
    }
    const predicted = async (tokens: readonly number[], states: Float32Array) => {
      own.reserve(tokens.length)
      const logits = await module.model.forward([{ tokens, cache: own, prompt: null, logits: 'last', states }])
      return (await kernels.memory.read(logits)) as Float32Array
    }
    const states = await run(prompt, { start: 0, end: prompt.length })
    const first = await predicted(prompt.slice(1), states.slice(0, -D))
    const wanted = (numbers('mtp_logits') as Float32Array).slice(-first.length)
    const vocab = first.length
    const off = (a: Float32Array, b: Float32Array) =>
      a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] as number))), 0)
    expect(off(first, wanted)).toBeLessThan(10 * checks.same_in_float32.max_mtp_logit_error)
    let last: Float32Array = states.slice(-D)
    const drafts: number[] = []
    for (const [k, token] of greedy.entries()) {
      const logits = await predicted([token], last)
      const expected = (numbers('draft_logits') as Float32Array).slice(k * vocab, (k + 1) * vocab)
      expect(off(logits, expected), `after ${k} tokens`).toBeLessThan(10 * checks.same_in_float32.max_mtp_logit_error)
      drafts.push(logits.indexOf(Math.max(...logits)))
      last = await run([token], null)
    }
    expect(drafts).toEqual(ids('drafts'))
    cache.dispose()
    own.dispose()
  })

  it('has in its own rows what a text of true tokens gives, whatever was guessed, rolled or shared', async () => {
    const lab = new Lab(model, kernels)
    const prompt = ids('input_ids')
    const count = ids('greedy').length
    const expected = ids('drafts')
    const plain = await lab.run(lab.timeline(), prompt, { maxTokens: count })
    const seen: [length: number, first: number | undefined][] = []
    const watched = () => {
      const proposer = new PredictionProposer(module, '')
      const propose = proposer.propose.bind(proposer)
      proposer.propose = async (tokens, most) => {
        const found = await propose(tokens, most)
        seen.push([tokens.length - prompt.length, found[0]])
        return found
      }
      return proposer
    }
    for (const share of [false, true]) {
      const proposer = watched()
      const timeline = share ? lab.sharing() : lab.timeline()
      const run = await lab.run(timeline, prompt, { maxTokens: count, proposer })
      expect(sameBits(run, plain)).toBe(true)
      proposer.dispose()
    }
    expect(plain.tokenIds).toEqual(ids('greedy'))
    const guesses = seen.filter(([, first]) => first !== undefined)
    expect(guesses.length).toBeGreaterThan(moreThan(4, folder))
    for (const [length, first] of guesses) expect(first, `after ${length} tokens`).toBe(expected[length - 1])
    expect(module.model.pool.bytes).toBe(0)
  })

  it('goes on after an abort in the midst of guesses', async () => {
    const lab = new Lab(model, kernels)
    const prompt = ids('input_ids')
    const count = ids('greedy').length
    const whole = await lab.run(lab.timeline(), prompt, { maxTokens: count })
    const proposer = new PredictionProposer(module, '')
    const timeline = lab.timeline()
    const first = await lab.run(timeline, prompt, {
      maxTokens: count,
      proposer,
      onToken: (written, sequence) => written === 5 && sequence.abort(),
    })
    expect(first).toMatchObject({ finishReason: 'aborted', tokenIds: whole.tokenIds.slice(0, 5) })
    const rest = await lab.run(timeline, timeline.tokens, { maxTokens: count - 5, proposer })
    expect(sameBits({ ...whole, rows: [...first.rows, ...rest.rows] }, whole)).toBe(true)
    expect(first.usage.draftTokens + rest.usage.draftTokens).toBeGreaterThan(moreThan(0, folder))
    proposer.dispose()
    expect(module.model.pool.bytes).toBe(0)
  })
})

/** The fixture as llama.cpp's architecture has it: the module is one layer more, in `nextn`. */
function asGguf(folder: string, file: string): void {
  const c = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  const tensors = readSafetensors(join(folder, 'model.safetensors'))
  const f32 = (names: readonly string[]): GgufTensorToWrite => {
    const found = names.map(
      name => tensors.get(name) as { readonly shape: readonly number[]; readonly data: ArrayLike<number> },
    )
    const data = Float32Array.from(found.flatMap(({ data }) => Array.from(data)))
    const ne = [...(found[0]?.shape ?? [])].reverse()
    return { type: 0, ne: found.length > 1 ? [...ne, found.length] : ne, bytes: new Uint8Array(data.buffer) }
  }
  const written: Record<string, GgufTensorToWrite> = {
    'token_embd.weight': f32(['model.embed_tokens.weight']),
    'output_norm.weight': f32(['model.norm.weight']),
    'output.weight': f32(['lm_head.weight']),
  }
  const inLayer = { ...deepseek2.naming.inLayer, 'exp_probs_b.bias': 'mlp.gate.e_score_correction_bias' }
  for (let layer = 0; layer <= c.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}.`
    for (const [own, hub] of Object.entries(inLayer)) {
      const [name, of] = own.endsWith('.bias') ? [own, hub] : [`${own}.weight`, `${hub}.weight`]
      if (tensors.has(at + of)) written[`blk.${layer}.${name}`] = f32([at + of])
    }
    for (const part of ['gate', 'up', 'down']) {
      const names = Array.from({ length: c.n_routed_experts }, (_, e) => `${at}mlp.experts.${e}.${part}_proj.weight`)
      if (tensors.has(names[0] as string)) written[`blk.${layer}.ffn_${part}_exps.weight`] = f32(names)
    }
  }
  const u32 = (value: number): GgufValue => ['u32', value]
  const keys: Record<string, GgufValue> = {
    block_count: u32(c.num_hidden_layers + 1),
    nextn_predict_layers: u32(1),
    context_length: u32(c.max_position_embeddings),
    embedding_length: u32(c.hidden_size),
    feed_forward_length: u32(c.intermediate_size),
    'attention.head_count': u32(c.num_attention_heads),
    'attention.layer_norm_rms_epsilon': ['f32', c.rms_norm_eps],
    ...(c.q_lora_rank && { 'attention.q_lora_rank': u32(c.q_lora_rank) }),
    'attention.kv_lora_rank': u32(c.kv_lora_rank),
    'attention.key_length': u32(c.qk_nope_head_dim + c.qk_rope_head_dim),
    'attention.value_length': u32(c.v_head_dim),
    'rope.dimension_count': u32(c.qk_rope_head_dim),
    'rope.freq_base': ['f32', c.rope_theta],
    ...(c.rope_scaling && {
      'rope.scaling.type': ['string', 'yarn'],
      'rope.scaling.factor': ['f32', c.rope_scaling.factor],
      'rope.scaling.original_context_length': u32(c.rope_scaling.original_max_position_embeddings),
      'rope.scaling.yarn_log_multiplier': ['f32', 0.1 * c.rope_scaling.mscale_all_dim],
    }),
    leading_dense_block_count: u32(c.first_k_dense_replace),
    expert_count: u32(c.n_routed_experts),
    expert_used_count: u32(c.num_experts_per_tok),
    expert_shared_count: u32(c.n_shared_experts),
    expert_feed_forward_length: u32(c.moe_intermediate_size),
    expert_weights_scale: ['f32', c.routed_scaling_factor],
    expert_weights_norm: ['bool', c.norm_topk_prob],
    expert_gating_func: u32(2),
    expert_group_count: u32(c.n_group),
    expert_group_used_count: u32(c.topk_group),
  }
  const metadata = Object.fromEntries(Object.entries(keys).map(([key, value]) => [`deepseek2.${key}`, value]))
  writeFileSync(
    file,
    writeGguf({ metadata: { 'general.architecture': ['string', 'deepseek2'], ...metadata }, tensors: written }),
  )
}

describe('files of other forms', () => {
  /** What the module predicts after a text. */
  async function predictedOf(folder: string, tokenizer = true): Promise<Float32Array> {
    const kernels = createReferenceKernels()
    const { model, module } = await moduleOf(folder, kernels, tokenizer)
    const tokens = [3, 9, 27, 81, 243, 12]
    const [cache, own] = [model.sequence(), module.model.sequence()]
    for (const one of [cache, own]) one.reserve(tokens.length)
    const { states } = await model.forwardStates([{ tokens, cache, prompt: null, logits: 'none' }])
    const values = ((await kernels.memory.read(states)) as Float32Array).slice(0, -model.config.hiddenSize)
    const input = { tokens: tokens.slice(1), cache: own, prompt: null, logits: 'last', states: values } as const
    const logits = (await kernels.memory.read(await module.model.forward([input]))) as Float32Array
    kernels.dispose()
    return logits
  }

  it.skipIf(!FIXTURE)('have the same module: GGUF, and a converted folder', async () => {
    const expected = await predictedOf(FIXTURE)
    const gguf = join(place, 'model.gguf')
    asGguf(FIXTURE, gguf)
    const found = await predictedOf(gguf, false)
    expect(found).toHaveLength(expected.length)
    for (const [i, x] of expected.entries()) expect(found[i]).toBeCloseTo(x, 4)
    const folder = join(place, 'converted')
    await convertModel(FIXTURE, folder, { weights: 'f32' })
    expect(await predictedOf(folder)).toEqual(expected)
  })

  it.each(FOLDERS.map(folder => [basename(folder), folder]))('have that of %s, too', async (name, source) => {
    const expected = await predictedOf(source)
    const [gguf, again, folder] = [join(place, `${name}.gguf`), join(place, `${name}-again.gguf`), join(place, name)]
    const pairs = [[source, gguf] as const, [gguf, again] as const]
    // llama.cpp has no LongCat.
    for (const [from, file] of name === 'longcat-flash' ? [] : pairs) {
      await convertModel(from, file, { weights: 'f32' })
      const found = await predictedOf(file, false)
      expect(found).toHaveLength(expected.length)
      for (const [i, x] of expected.entries()) expect(found[i]).toBeCloseTo(x, 3)
    }
    await convertModel(source, folder, { weights: 'f32' })
    expect(await predictedOf(folder)).toEqual(expected)
  })
})

describe.each(FOLDERS.map(folder => [basename(folder), folder]))('the module of %s', (_, folder) => {
  it.each([
    ['greedy', { temperature: 0 }],
    ['sampled', { temperature: 0.7, seed: 4 }],
  ])('writes the same text, prompt after prompt: %s', async (_, options) => {
    const engine = await Engine.load(folder, { inline: true, threads: 1, mtp: 'on' })
    expect(engine.info.mtp).toBe(true)
    let drafted = 0
    const texts = async (speculation: 'off' | 'mtp') => {
      const session = engine.session()
      const found: unknown[] = []
      for (const prompt of ['Once upon a time', ' and then', '.']) {
        const { tokenIds, usage } = await session.prompt(prompt, {
          maxTokens: 40,
          ignoreEos: true,
          ...options,
          speculation,
        })
        found.push(tokenIds, session.tokens.length)
        drafted += usage.draftTokens
      }
      await session.dispose()
      return found
    }
    const off = await texts('off')
    expect(drafted).toBe(0)
    expect(await texts('mtp')).toEqual(off)
    expect(drafted).toBeGreaterThan(moreThan(10, folder))
    await engine.dispose()
  })
})

/** A small model that has learned a few sentences by heart, and its module, too. */
async function learned(name: string, changes: object = {}): Promise<string> {
  const text = join(place, `${name}.txt`)
  writeFileSync(text, STORIES)
  const config = smallModel(join(place, name), { num_nextn_predict_layers: 1, ...changes })
  const options = { data: [text], steps: 60, batchTokens: 128, contextLength: 32, rate: 0.03, warmup: 2, threads: 1 }
  for await (const _ of train(config, join(place, `${name}-run`), { ...options, saveEvery: 100 }));
  return join(place, `${name}-run`, 'step-000060')
}

describe('guessing ahead with the module', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await learned('latent', EXPERTS)
  })
  const load = (options: LoadOptions = {}) => Engine.load(folder, { inline: true, threads: 1, mtp: 'on', ...options })

  const PROMPT = 'The cat 3 sat on the mat. The dog'
  const CASES: Record<string, PromptOptions> = {
    greedy: { temperature: 0 },
    sampled: { temperature: 0.9, seed: 4 },
    penalised: { temperature: 0.8, seed: 5, repetitionPenalty: 1.2, frequencyPenalty: 0.2 },
    'ended by a stop sequence': { temperature: 0, stopSequences: ['cat. ', 'mat. The'], maxTokens: 90 },
    'on the expanded path': { temperature: 0, attentionPath: 'expanded' },
  }

  it.each(Object.entries(CASES))('writes the same text: %s', async (_, options) => {
    const loads: LoadOptions[] = [{}, { cacheType: 'f32', kernels: 'wasm' }, { threads: 2, chunkSize: 8 }]
    for (const more of loads) {
      const engine = await load(more)
      const ask = async (speculation: 'off' | 'mtp') => {
        const session = engine.session()
        const completion = await session.prompt(PROMPT, {
          maxTokens: 60,
          ignoreEos: true,
          ...options,
          speculation,
        })
        const found = [
          completion.text,
          completion.tokenIds,
          completion.finishReason,
          session.tokens,
          session.cache.tokens,
        ]
        await session.dispose()
        return { found: structuredClone(found), usage: completion.usage }
      }
      const [off, on] = [await ask('off'), await ask('mtp')]
      expect(on.found).toEqual(off.found)
      expect(off.usage.draftTokens).toBe(0)
      if (options.temperature === 0) expect(on.usage.acceptedTokens).toBeGreaterThan(0)
      await engine.dispose()
    }
  })

  it('writes the same text of a grammar', async () => {
    // The thread of grammars is a built file.
    const { Engine: Built } = (await import('latentkit')) as { Engine: typeof Engine }
    const engine = await Built.load(folder, { threads: 1, mtp: 'on' })
    const regex = '( sat on the (mat|cat)\\. The (dog|cat)){4}'
    for (const seed of [1, 2, 3]) {
      const ask = (speculation: 'off' | 'mtp') => engine.generate(PROMPT, { regex, temperature: 1, seed, speculation })
      const [off, on] = [await ask('off'), await ask('mtp')]
      expect([on.text, on.tokenIds]).toEqual([off.text, off.tokenIds])
    }
    await engine.dispose()
  })

  it('guesses by itself once it is loaded, and most of what it learned holds', async () => {
    const engine = await load()
    expect(engine.info.mtp).toBe(true)
    const { usage } = await engine.generate(PROMPT, { temperature: 0, maxTokens: 100, ignoreEos: true })
    expect(usage.draftTokens).toBeGreaterThan(10)
    expect(usage.acceptedTokens / usage.draftTokens).toBeGreaterThan(0.5)
    expect((await engine.cacheStats()).draftBytes).toBeGreaterThan(0)
    await engine.dispose()
  })

  it('goes on in sessions that share, fork, roll, drop and come from files, many at once', async () => {
    const texts = async (options: LoadOptions) => {
      const engine = await load(options)
      const found: string[] = []
      let drafted = 0
      const ask = async (session: ReturnType<Engine['session']>, prompt: string, seed?: number) => {
        const drawn = seed === undefined ? { temperature: 0 } : { temperature: 1, seed }
        // In the order of asking: which of several ends first depends on the guesses.
        const at = found.push('') - 1
        const { text, usage } = await session.prompt(prompt, { ...drawn, maxTokens: 40, ignoreEos: true })
        found[at] = text
        drafted += usage.draftTokens
      }
      const long = Array.from({ length: 9 }, (_, i) => `The cat ${i} sat on the mat. The dog sat on the cat.`).join(' ')
      const first = engine.session()
      await ask(first, `${long} The`)
      // The same beginning, and one that leaves it in the middle of a block.
      const others = [engine.session(), engine.session(), engine.session({ cacheSalt: 'own' })]
      await Promise.all(
        others.map((session, i) => ask(session, i === 1 ? `${long.slice(0, 200)} dog` : `${long} The`, i)),
      )
      const fork = await first.fork()
      await Promise.all([ask(first, ' The dog', 1), ask(fork, ' The cat', 2)])
      await first.drop(3, 9)
      await ask(first, ' The')
      const file = join(place, `saved-${found.length}-${options.mtp}`)
      await fork.save(file)
      await ask(await engine.restore(file), ' The cat')
      const rolling = engine.session({ contextLength: 48, rolling: { keep: 4 } })
      await ask(rolling, 'The cat 1 sat on the mat. The dog sat on the')
      await ask(rolling, ' The cat 2 sat on the mat. The dog sat on the')
      await engine.dispose()
      expect(drafted > 0).toBe(options.mtp === 'on')
      return found
    }
    expect(await texts({ mtp: 'on' })).toEqual(await texts({ mtp: 'off' }))
    const small = { cacheBytes: 64 * 2 * 24 * 2 * 14 }
    expect(await texts({ mtp: 'on', ...small })).toEqual(await texts({ mtp: 'off', ...small }))
  })

  it('costs nothing where it is off, and is refused where there is none', async () => {
    const off = await load({ mtp: 'off' })
    const on = await load()
    expect(off.info.mtp).toBe(false)
    expect(off.info.weightBytes).toBeLessThan(on.info.weightBytes)
    expect(await off.fingerprint()).toBe(await on.fingerprint())
    expect((await off.generate('A', { maxTokens: 3 })).usage.draftTokens).toBe(0)
    expect((await off.cacheStats()).draftBytes).toBe(0)
    await expect(off.generate('A', { speculation: 'mtp' })).rejects.toThrow(OptionError)
    await Promise.all([off.dispose(), on.dispose()])
    const source = 'test/fixtures/checkpoints/deepseek-v2-lite'
    await expect(Engine.load(source, { inline: true, mtp: 'on' })).rejects.toThrow(CheckpointError)
    const auto = await Engine.load(source, { inline: true, mtp: 'auto' })
    expect(auto.info.mtp).toBe(false)
    await auto.dispose()
  })
})
