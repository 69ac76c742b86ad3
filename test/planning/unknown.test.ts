/** What a plan does not know it says: fields that change memory are counted, or told. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { plan } from '../../src/planning/plan.ts'
import { published, publishedModel } from '../../src/planning/published/index.ts'
import { planModelFromJson } from '../../src/planning/read/json.ts'
import { readPlanModel } from '../../src/planning/read/open.ts'
import { weightParts } from '../../src/planning/weight-parts.ts'
import { latentkit } from '../cli/run.ts'
import { tempFolder } from '../support/temp-folder.ts'

const LLAMA = {
  model_type: 'llama',
  hidden_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  intermediate_size: 512,
  vocab_size: 1000,
  max_position_embeddings: 2048,
}
const told = (json: object) => plan(planModelFromJson(json)).unknown.map(u => [u.field, u.affects])

describe('a field that the planner does not understand', () => {
  it.each<[string, unknown, string]>([
    ['attn_type_by_layer', [0, 1, 0, 1], 'both'],
    ['swa_num_key_value_heads', 4, 'both'],
    ['swa_head_dim', 64, 'both'],
    ['use_cla', true, 'both'],
    ['kv_source_layers', [0, 0, 1, 1], 'both'],
    ['index_local_blocks', 2, 'both'],
    ['layer_pattern', 'AAMA', 'both'],
    ['conv_kernel', 4, 'both'],
    ['layer_group_size', 4, 'both'],
    ['ngram_vocab_size', 78_000, 'weights'],
    ['altup_num_inputs', 4, 'weights'],
    ['expert_lora_size', 8, 'weights'],
    ['mtp_depth', 2, 'weights'],
    ['hc_mult', 4, 'weights'],
    ['vision_config', { hidden_size: 32 }, 'weights'],
    ['audio_encoder_config', { hidden_size: 32 }, 'weights'],
    ['gated_norm_rank', 8, 'both'],
    // Names that sound harmless at their end.
    ['swa_layer_ids', [1, 3], 'both'],
    ['kv_shared_layer_index', 2, 'both'],
    ['attn_window_scale', 4, 'both'],
    ['interleave_moe_layer_step', 2, 'both'],
    ['mixer_types', ['a', 'b', 'a', 'b'], 'both'],
    ['mm_vision_tower', 'some/clip', 'weights'],
    // One half of what makes a latent.
    ['kv_lora_rank', 64, 'both'],
    ['qk_rope_head_dim', 16, 'both'],
  ])('%s = %j is told', (field, value, affects) => {
    // State-like fields that cannot be sized are refused instead, which says it too.
    let fields: (readonly [string, string])[]
    try {
      fields = told({ ...LLAMA, [field]: value }) as [string, string][]
    } catch (error) {
      expect((error as Error).message).toContain(field)
      return
    }
    expect(fields).toEqual([[field, affects]])
  })

  it.each([
    ['sliding_attention', 'sliding_window'],
    ['chunked_attention', 'attention_chunk_size'],
  ])('a type of layers without its length is told: %s', (type, length) => {
    const layer_types = ['full_attention', type, 'full_attention', type]
    expect(told({ ...LLAMA, layer_types })).toEqual([['layer_types', 'cache']])
    expect(told({ ...LLAMA, layer_types, [length]: 128 })).not.toContainEqual(['layer_types', 'cache'])
  })

  it.each([null, false, 0, '', [], {}])('that is %j is off', value => {
    for (const field of ['num_kv_shared_layers', 'use_cla', 'ngram_table', 'vision_config', 'swa_head_dim']) {
      if (field === 'num_kv_shared_layers' && typeof value === 'object' && value !== null) continue
      if (field === 'num_kv_shared_layers' && (value === '' || value === false)) continue
      expect(told({ ...LLAMA, [field]: value })).toEqual([])
    }
  })

  it('and that has nothing to do with memory is no news', () => {
    const more = {
      attention_dropout: 0.1,
      rope_scaling: { type: 'yarn', factor: 4 },
      initializer_range: 0.02,
      attn_logit_softcapping: 50,
      output_router_logits: true,
      router_aux_loss_coef: 0.01,
      image_token_index: 10,
      use_cache: true,
      no_rope_layers: [1, 1, 1, 0],
      embedding_multiplier: 12,
      transformers_version: '5.0.0',
      architectures: ['LlamaForCausalLM'],
    }
    expect(told({ ...LLAMA, ...more })).toEqual([])
  })

  it('kinds of layers by a name that is new', () => {
    const layer_types = ['full_attention', 'warped_attention', 'full_attention', 'warped_attention']
    const [one] = plan(planModelFromJson({ ...LLAMA, layer_types })).unknown
    expect(one).toMatchObject({ field: 'layer_types', affects: 'cache' })
    expect(one?.reason).toMatch(/"warped_attention" are counted as if they kept every token/)
  })

  it('too few kinds for the layers are refused', () => {
    const json = { ...LLAMA, layer_types: ['full_attention', 'full_attention'] }
    expect(() => planModelFromJson(json)).toThrow(
      /"layer_types" is a list of 2; expected a type for each of the 4 layers/,
    )
  })

  it('an unknown family: the family, every number left, and which layers a window has', () => {
    const fields = told({ ...LLAMA, model_type: 'novel', zeta: 3, sliding_window: 512 }).map(([f]) => f)
    expect(fields).toEqual(['model_type', 'zeta', 'sliding_window'])
    expect(told({ ...LLAMA, zeta: 3 })).toEqual([])
  })

  it('heads of values that are not as wide as those of keys are counted', () => {
    const p = plan(planModelFromJson({ ...LLAMA, head_dim: 48, v_head_dim: 32 }))
    expect([p.unknown, p.cache.bytesPerToken]).toEqual([[], 4 * 2 * (48 + 32) * 2])
  })

  it('quantisation by others, and adapters beside the model', async () => {
    expect(told({ ...LLAMA, quantization_config: { quant_method: 'awq', bits: 4 } })).toEqual([
      ['quantization_config', 'weights'],
    ])
    expect(told({ ...LLAMA, quantization: { bits: 4, group_size: 64 } })[0]).toEqual(['quantization', 'weights'])
    const folder = tempFolder({ 'config.json': JSON.stringify(LLAMA), 'adapter_config.json': '{}' })
    expect((await readPlanModel(folder)).unknown?.map(u => u.field)).toEqual(['adapter_config.json'])
  })

  it('none in the models that the engine runs, nor in the list', () => {
    for (const folder of ['../fixtures/checkpoints/', '../../models/']) {
      const path = fileURLToPath(new URL(folder, import.meta.url))
      const models = readdirSync(path).filter(name => existsSync(join(path, name, 'config.json')))
      expect(models).not.toEqual([])
      for (const name of models) {
        expect(told(JSON.parse(readFileSync(join(path, name, 'config.json'), 'utf8')))).toEqual([])
      }
    }
    for (const { hub } of published()) expect(plan(publishedModel(hub)).unknown).toEqual([])
  })
})

describe('names in the file', () => {
  it('reach no terminal as they are, and are told in bounds', () => {
    const hostile = Object.fromEntries(
      Array.from({ length: 1000 }, (_, i) => [`layer_\u001b[31m${'x'.repeat(500)}${i}`, 1]),
    )
    const { unknown, model } = plan(planModelFromJson({ ...LLAMA, ...hostile, _name_or_path: '\u001b[2J' }))
    expect(unknown.every(u => !/\p{Cc}/u.test(u.field + u.reason) && u.field.length <= 200)).toBe(true)
    expect(model.name).toBe('\\u001b[2J')
    expect(unknown).toHaveLength(33)
    expect(unknown.at(-1)?.field).toBe('968 more fields')
  })
})

describe('latentkit plan', () => {
  const file = (json: object) => join(tempFolder({ 'mine.json': JSON.stringify(json) }), 'mine.json')
  const doubtful = { ...LLAMA, swa_head_dim: 64, vision_config: { depth: 2 } }

  it('says it in the sentence that is copied, in words, in markdown, in CSV and in JSON', async () => {
    const path = file(doubtful)
    const run = async (...args: string[]) => (await latentkit(['plan', path, ...args])).stdout.replace(/\s+/g, ' ')
    for (const args of [[], ['--markdown']]) {
      const text = await run(...args)
      expect(text).toMatch(
        /^mine for 2,048 tokens needs .* of cache in bf16 \(not counted or in doubt: swa_head_dim\), beside/,
      )
      expect(text).toContain('of weights in bf16 (not counted or in doubt: swa_head_dim, vision_config).')
      expect(text).toContain('Not counted or in doubt: swa_head_dim (cache and weights): 64 is not understood.')
    }
    expect(await run('--csv')).toMatch(/,not_counted mine,.*,swa_head_dim vision_config ?$/)
    expect(JSON.parse(await run('--json')).unknown.map((u: { field: string }) => u.field)).toEqual([
      'swa_head_dim',
      'vision_config',
    ])
  })

  it('has one name for the cache’s type, and still knows the old one', async () => {
    const run = async (flag: string) => (await latentkit(['plan', file(LLAMA), flag, 'q8_0', '--json'])).stdout
    const { cache } = JSON.parse(await run('--cache-type'))
    expect(cache.dtype).toBe('q8_0')
    expect(JSON.parse(await run('--dtype')).cache).toEqual(cache)
    expect(plan(planModelFromJson(LLAMA), { cacheType: 'q8_0' }).cache).toEqual(cache)
  })

  it('names a model after its file, or after the folder of a config.json', async () => {
    expect((await readPlanModel(file(LLAMA))).name).toBe('mine')
    const folder = tempFolder({ 'some-model/config.json': JSON.stringify(LLAMA) })
    expect((await readPlanModel(join(folder, 'some-model/config.json'))).name).toBe('some-model')
  })
})

it('NaN and Infinity, as Python writes them, do not matter where nobody asks, and are told where one does', async () => {
  const text = JSON.stringify({ ...LLAMA, x: 'NaN', y: 'inf' })
    .replace('"NaN"', 'NaN')
    .replace('"inf"', '-Infinity')
  const folder = tempFolder({
    'config.json': text,
    'asked/config.json': text.replace('"vocab_size":1000', '"vocab_size":NaN'),
  })
  expect((await readPlanModel(folder)).hiddenSize).toBe(256)
  const { code, stderr } = await latentkit(['plan', join(folder, 'asked')])
  expect(stderr).toMatch(/"vocab_size" is NaN; expected an integer/)
  expect(code).toBe(1)
})

/** Ling-3.0-tiny by its published sizes. */
const LING = {
  model_type: 'bailing_hybrid',
  architectures: ['BailingMoeV3ForCausalLM'],
  hidden_size: 1536,
  num_hidden_layers: 24,
  layer_group_size: 4,
  num_attention_heads: 16,
  head_dim: 128,
  kv_lora_rank: 512,
  q_lora_rank: 256,
  qk_rope_head_dim: 64,
  qk_nope_head_dim: 128,
  v_head_dim: 128,
  short_conv_kernel_size: 4,
  no_kda_lora: true,
  intermediate_size: 4096,
  vocab_size: 157_184,
  max_position_embeddings: 262_144,
}

describe('layers that keep a state', () => {
  const p = (context: number, more = {}) => plan(planModelFromJson({ ...LING, ...more }), { context })

  it('cost the same whatever the length; the others cost a latent per token', () => {
    const state = 18 * 4 * (16 * 128 * 128 + 3 * (3 * 16 * 128))
    expect(p(1).cache.bytesPerToken).toBe(6 * 576 * 2)
    for (const context of [1, 1000, 100_000]) {
      const { cache } = p(context)
      expect([cache.stateBytesPerSequence, cache.bytesPerSequence]).toEqual([state, state + context * 6912])
    }
    expect(p(1000).unknown).toEqual([])
  })

  it('are read whole at each step, and by each user', () => {
    const { cache, decode } = p(1)
    expect(decode.work.cacheBytes).toBe(cache.stateBytesPerSequence + 6912)
    expect(plan(planModelFromJson(LING), { context: 10, batch: 7 }).cache.bytes).toBe(
      7 * (cache.stateBytesPerSequence + 69_120),
    )
  })

  it('are divided among ranks as heads are', () => {
    const one = plan(planModelFromJson(LING), { context: 100 })
    const four = plan(planModelFromJson(LING), { context: 100, tensorParallel: 4 })
    expect(four.perRank.cacheBytes).toBe(one.cache.stateBytesPerSequence / 4 + 100 * 6912)
    expect(four.perRank.weightBytes).toBeLessThan(0.35 * one.weights.bytes)
  })

  it('stay where another attention is put in place of the rest', () => {
    const [mha] = plan(planModelFromJson(LING), { context: 1000, compare: ['mha'] }).compare
    expect(mha?.bytesPerToken).toBe(6 * 2 * 16 * 128 * 2)
    expect(mha?.bytesPerSequence).toBe(p(1).cache.stateBytesPerSequence + 1000 * 6 * 2 * 16 * 128 * 2)
  })

  it('before Ling 3.0 had a decay alone: decided by the architecture, weights told as guessed', () => {
    const old = p(100, { architectures: ['BailingMoeV2_5ForCausalLM'] })
    expect(old.cache.stateBytesPerSequence).toBe(18 * 4 * 16 * 128 * 128)
    expect(old.unknown.map(u => [u.field, u.affects])).toEqual([['architectures', 'weights']])
  })
})

describe('indexers that share a choice', () => {
  const DSA = {
    ...LING,
    model_type: 'glm_moe_dsa',
    layer_group_size: undefined,
    index_topk: 2048,
    index_n_heads: 32,
    index_head_dim: 128,
  }
  const perToken = (more: object) => plan(planModelFromJson({ ...DSA, ...more })).cache.bytesPerToken
  const keys = (own: number) => 24 * 1152 + own * 256

  it('keep no keys: by a list, by letters, by a frequency', () => {
    expect(perToken({})).toBe(keys(24))
    const indexer_types = Array.from({ length: 24 }, (_, i) => (i % 3 === 0 ? 'full' : 'shared'))
    expect(perToken({ indexer_types })).toBe(keys(8))
    expect(perToken({ index_topk_pattern: 'FSSS'.repeat(6) })).toBe(keys(6))
    // Full where max(i - 1, 0) is a multiple of 4: 0, 1, 5, 9, 13, 17, 21.
    expect(perToken({ index_topk_freq: 4 })).toBe(keys(7))
  })

  it('have no weights either, and read only what was chosen', () => {
    const model = (more: object) => plan(planModelFromJson({ ...DSA, ...more }), { context: 100_000 })
    const [all, half] = [model({}), model({ index_topk_pattern: 'FS'.repeat(12) })]
    const indexer = 32 * 128 * 256 + 128 * 1536 + 2 * 128 + 32 * 1536
    expect(all.weights.parameters - half.weights.parameters).toBe(12 * indexer)
    expect(half.decode.work.cacheBytes).toBe(24 * 2048 * 1152 + 12 * 100_000 * 256)
  })
})

describe('layers that read what earlier ones keep', () => {
  it('keep nothing and project no keys, but read', () => {
    const [own, shared] = [0, 3].map(num_kv_shared_layers =>
      plan(planModelFromJson({ ...LLAMA, num_kv_shared_layers }), { context: 100 }),
    ) as [ReturnType<typeof plan>, ReturnType<typeof plan>]
    expect(shared.cache.bytesPerToken).toBe(own.cache.bytesPerToken / 4)
    expect(own.weights.parameters - shared.weights.parameters).toBe(3 * 2 * 2 * 32 * 256)
    expect(shared.decode.work.cacheBytes).toBe(own.decode.work.cacheBytes)
  })
})

const FAMILIES = fileURLToPath(new URL('../../../shared/fixtures/families', import.meta.url))
const OTHER_PARTS = /vision|visual|multi_modal|^mtp\./

describe('weights of families as their files have them', () => {
  const folders = existsSync(FAMILIES) ? readdirSync(FAMILIES).filter(f => !f.includes('.')) : []
  it.skipIf(folders.length > 0)('need ../shared/fixtures/families, which is not here', () => {})

  it.each(folders.filter(f => f !== 'gpt-oss'))('%s: every number of the language model', folder => {
    const json = JSON.parse(readFileSync(join(FAMILIES, folder, 'config.json'), 'utf8'))
    const model = planModelFromJson(json)
    const bytes = readFileSync(join(FAMILIES, folder, 'model.safetensors'))
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString())
    const inFile = Object.entries<{ shape: number[] }>(header)
      .filter(([name]) => name !== '__metadata__' && !OTHER_PARTS.test(name))
      .reduce((n, [, { shape }]) => n + shape.reduce((a, b) => a * b, 1), 0)
    const draft = folder === 'deepseek-v32'
    const counted = weightParts(model, { draft, draftCopies: draft }).reduce((n, w) => n + w.count * w.rows * w.cols, 0)
    expect(counted).toBe(inFile)
    const others = Object.keys(header).some(name => /vision|visual/.test(name))
    expect((model.unknown ?? []).map(u => u.field)).toEqual(others ? ['vision_config'] : [])
  })
})
