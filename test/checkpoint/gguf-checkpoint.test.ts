import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import type { Checkpoint } from '../../src/checkpoint/checkpoint.ts'
import { filesFrom } from '../../src/checkpoint/source/checkpoint-files.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { CheckpointError, ConfigError, UnsupportedModelError } from '../../src/errors.ts'
import { parseConfig } from '../../src/families/index.ts'
import { surveyWeights } from '../../src/model/load.ts'
import { openCheckpoint } from '../../src/model/open/open-checkpoint.ts'
import { modelOf } from '../../src/model/open/opened-model.ts'
import { attentionOf, type LayerConfig } from '../../src/nn/config.ts'
import { type GgufTensorToWrite, type GgufValue, writeGguf } from '../support/gguf-writer.ts'
import { openFolder } from '../support/open-folder.ts'
import { tempFolder } from '../support/temp-folder.ts'

type Metadata = Readonly<Record<string, GgufValue | undefined>>
type Tensors = Readonly<Record<string, GgufTensorToWrite>>

const f32 = (...ne: number[]): GgufTensorToWrite => ({
  type: 0,
  ne,
  bytes: new Uint8Array(4 * ne.reduce((n, d) => n * d, 1)),
})
const numbers = (...values: number[]): GgufTensorToWrite => ({
  type: 0,
  ne: [values.length],
  bytes: new Uint8Array(Float32Array.from(values).buffer),
})

/** Keys that every decoder has, under the architecture's name. */
function decoder(arch: string, changes: Metadata = {}): Metadata {
  const own: Metadata = {
    block_count: ['u32', 2],
    context_length: ['u32', 128],
    embedding_length: ['u32', 8],
    feed_forward_length: ['u32', 16],
    'attention.head_count': ['u32', 2],
    'attention.layer_norm_rms_epsilon': ['f32', 1e-5],
    ...changes,
  }
  return {
    'general.architecture': ['string', arch],
    ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`${arch}.${key}`, value])),
  }
}

const MLA: Metadata = {
  'attention.kv_lora_rank': ['u32', 6],
  'attention.key_length': ['u32', 8],
  'attention.value_length': ['u32', 4],
  'rope.dimension_count': ['u32', 2],
}

function bytesOf(metadata: Metadata, tensors: Tensors = {}): Uint8Array<ArrayBuffer> {
  const given = Object.entries(metadata).filter((entry): entry is [string, GgufValue] => entry[1] !== undefined)
  return writeGguf({ metadata: Object.fromEntries(given), tensors: { 'token_embd.weight': f32(8, 5), ...tensors } })
}

const open = (metadata: Metadata, tensors: Tensors = {}): Promise<Checkpoint> =>
  openCheckpoint(filesFrom('folder', [memorySource('m.gguf', bytesOf(metadata, tensors))]), { tokenizer: false })

describe('what the config says', () => {
  it('sizes; tied embeddings and biases by what is there', async () => {
    const { config } = await open(decoder('llama'))
    expect(config).toMatchObject({
      model_type: 'llama',
      vocab_size: 5,
      rope_interleave: true,
      tie_word_embeddings: true,
    })
    expect(config).toMatchObject({ attention_bias: false, mlp_bias: false, rms_norm_eps: 1e-5, rope_theta: 10_000 })
    const tensors = { 'output.weight': f32(8, 5), 'blk.0.attn_output.bias': f32(8), 'blk.0.ffn_up.bias': f32(16) }
    expect((await open(decoder('llama'), tensors)).config).toMatchObject({
      tie_word_embeddings: false,
      attention_bias: true,
      mlp_bias: true,
    })
  })

  it('numbers given layer by layer count where they are all the same', async () => {
    const same = { 'attention.head_count_kv': ['array', 'u32', [1, 1]] } as const
    expect((await open(decoder('llama', same))).config).toMatchObject({ num_key_value_heads: 1 })
    const other = { 'attention.head_count_kv': ['array', 'u32', [1, 2]] } as const
    await expect(open(decoder('llama', other))).rejects.toThrow(
      '"llama.attention.head_count_kv" is an array of 2; expected',
    )
  })

  it('what begins and ends a text: all that ends a turn', async () => {
    const tokens: Metadata = {
      'tokenizer.ggml.tokens': ['array', 'string', ['<s>', '</s>', '<|eot_id|>', '<end_of_turn>', 'x', 'y']],
      'tokenizer.ggml.token_type': ['array', 'i32', [3, 3, 3, 1, 1, 1]],
      'tokenizer.ggml.bos_token_id': ['u32', 0],
      'tokenizer.ggml.eos_token_id': ['u32', 1],
      'tokenizer.ggml.eot_token_id': ['u32', 4],
    }
    const { config } = await open({ ...decoder('llama'), ...tokens })
    expect(config).toMatchObject({ bos_token_id: 0, eos_token_id: [1, 4, 2] })
  })

  test.each<[string, Metadata, unknown]>([
    ['none', {}, undefined],
    [
      'linear',
      { 'rope.scaling.type': ['string', 'linear'], 'rope.scaling.factor': ['f32', 4] },
      { rope_type: 'linear', factor: 4 },
    ],
    ['linear of old', { 'rope.scale_linear': ['f32', 2] }, { rope_type: 'linear', factor: 2 }],
    ['a factor of 0', { 'rope.scaling.factor': ['f32', 0] }, undefined],
    [
      'yarn',
      {
        'rope.scaling.type': ['string', 'yarn'],
        'rope.scaling.factor': ['f32', 4],
        'rope.scaling.original_context_length': ['u32', 32],
      },
      { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
    ],
  ])('rope scaling: %s', async (_, changes, scaling) => {
    expect((await open(decoder('qwen2', changes))).config.rope_scaling).toEqual(scaling)
  })

  it('factors of the rope are settings, not weights', async () => {
    const c = await open(decoder('llama'), { 'rope_freqs.weight': numbers(1, 2) })
    expect(c.config.rope_scaling).toEqual({ rope_type: 'factors', factors: [1, 2] })
    expect(parseConfig(c.configReader).ropes[0]?.scaling).toEqual({ kind: 'factors', factors: [1, 2] })
    expect(c.has('rope_freqs.weight')).toBe(false)
    const both = { 'rope_factors_long.weight': numbers(2), 'rope_factors_short.weight': numbers(1) }
    expect((await open(decoder('minicpm3', MLA), both)).config.rope_scaling).toEqual({
      rope_type: 'longrope',
      long_factor: [2],
      short_factor: [1],
      original_max_position_embeddings: 128,
    })
  })

  it('MiniCPM3: the scales of the one model published, or those of the file', async () => {
    const published = { scale_emb: 12, scale_depth: 1.4, dim_model_base: 256 }
    expect((await open(decoder('minicpm3', MLA))).config).toMatchObject(published)
    const scale: Metadata = { ...MLA, embedding_scale: ['f32', 3], logit_scale: ['f32', 2] }
    expect((await open(decoder('minicpm3', scale))).config).toMatchObject({
      scale_emb: 3,
      scale_depth: 1.4,
      dim_model_base: 4,
    })
  })

  it('Gemma 3: windows by period, by layer, or none', async () => {
    const key: Metadata = { 'attention.key_length': ['u32', 4] }
    const windows = async (changes: Metadata, layers = 7) => {
      const c = await open(decoder('gemma3', { block_count: ['u32', layers], ...key, ...changes }))
      return parseConfig(c.configReader).layers.map(layer => layer.window)
    }
    const window: Metadata = { 'attention.sliding_window': ['u32', 9] }
    expect(await windows({})).toEqual(Array(7).fill(null))
    expect(await windows(window)).toEqual([9, 9, 9, 9, 9, null, 9])
    expect(await windows({ ...window, 'attention.sliding_window_pattern': ['u32', 2] }, 3)).toEqual([9, null, 9])
    const flags: GgufValue = ['array', 'bool', [true, true, false]]
    expect(await windows({ ...window, 'attention.sliding_window_pattern': flags }, 3)).toEqual([9, 9, null])
  })
})

describe('deepseek2', () => {
  const experts: Metadata = {
    ...MLA,
    leading_dense_block_count: ['u32', 1],
    expert_count: ['u32', 4],
    expert_used_count: ['u32', 2],
    expert_feed_forward_length: ['u32', 3],
  }
  const moeOf = async (changes: Metadata, tensors: Tensors = {}) =>
    parseConfig((await open(decoder('deepseek2', { ...experts, ...changes }), tensors)).configReader).layers[1]?.mlp
  const bias = { 'blk.1.exp_probs_b.bias': f32(4) }

  it('heads, in both layouts', async () => {
    const sizes = { kv_lora_rank: 6, qk_rope_head_dim: 2, qk_nope_head_dim: 6, v_head_dim: 4, q_lora_rank: null }
    expect((await open(decoder('deepseek2', MLA))).config).toMatchObject(sizes)
    const split: Metadata = {
      ...MLA,
      'attention.key_length_mla': ['u32', 8],
      'attention.value_length_mla': ['u32', 4],
      'attention.key_length': ['u32', 8 + 600],
      'attention.value_length': ['u32', 600],
      'attention.q_lora_rank': ['u32', 3],
    }
    expect((await open(decoder('deepseek2', split))).config).toMatchObject({ ...sizes, q_lora_rank: 3 })
  })

  it('sigmoid with a bias is routed as V3, softmax as V2; a missing key is softmax', async () => {
    const groups: Metadata = { expert_group_count: ['u32', 2], expert_group_used_count: ['u32', 1] }
    expect(
      await moeOf({ ...groups, expert_gating_func: ['u32', 2], expert_weights_norm: ['bool', true] }, bias),
    ).toMatchObject({
      scoring: 'sigmoid',
      selectionBias: true,
      groups: 2,
      topkGroups: 1,
      groupScore: 'top2',
      normalise: true,
    })
    expect(await moeOf({ ...groups, expert_weights_scale: ['f32', 16] })).toMatchObject({
      scoring: 'softmax',
      selectionBias: false,
      groups: 2,
      groupScore: 'max',
      normalise: false,
      scale: 16,
    })
    expect(await moeOf({})).toMatchObject({ scoring: 'softmax', groups: 1, scale: 1, sharedSize: 0 })
    expect(await moeOf({ expert_gating_func: ['u32', 2] })).toMatchObject({ scoring: 'sigmoid', selectionBias: false })
  })

  it('without experts, or with none of its layers sparse, is dense', async () => {
    expect(await moeOf({ expert_count: ['u32', 0] })).toMatchObject({ kind: 'dense' })
    expect(await moeOf({ leading_dense_block_count: ['u32', 2] })).toMatchObject({ kind: 'dense' })
  })

  it('layers of multi-token prediction are counted by a key of their own', async () => {
    const c = await open(decoder('deepseek2', { ...MLA, block_count: ['u32', 3], nextn_predict_layers: ['u32', 1] }))
    expect(parseConfig(c.configReader).nLayers).toBe(2)
  })

  it('YaRN: the multiplier stretches the softmax; without it cos and sin as well', async () => {
    const yarn: Metadata = { ...MLA, 'rope.scaling.type': ['string', 'yarn'], 'rope.scaling.factor': ['f32', 40] }
    const attention = async (changes: Metadata) => {
      const c = await open(decoder('deepseek2', { ...yarn, ...changes }))
      const { layers, ropes } = parseConfig(c.configReader)
      return { scale: attentionOf(layers[0] as LayerConfig).softmaxScale * Math.sqrt(8), rope: ropes[0]?.scaling }
    }
    const m = (all: number) => 1 + 0.1 * all * Math.log(40)
    const lite = await attention({ 'rope.scaling.yarn_log_multiplier': ['f32', 0.07] })
    expect(lite.scale).toBeCloseTo(m(0.7) ** 2, 12)
    expect(lite.rope).toMatchObject({
      mscale: 0.7,
      mscaleAllDim: 0.7,
      attentionFactor: null,
      betaFast: 32,
      betaSlow: 1,
    })
    const old = await attention({})
    expect(old.scale).toBeCloseTo(m(1) ** 2, 12)
    expect(old.rope).toMatchObject({ attentionFactor: m(1) })
  })
})

describe('tensors under the names of the hub', () => {
  it('experts are cut from one tensor', async () => {
    const c = await open(decoder('deepseek2', MLA), {
      'blk.1.ffn_gate_up_exps.weight': f32(8, 6, 4),
      'blk.1.ffn_down_exps.weight': f32(3, 8, 4),
      'blk.1.exp_probs_b.bias': f32(4),
      'blk.0.attn_k_b.weight': f32(6, 6, 2),
      'blk.0.attn_v_b.weight': f32(6, 4, 2),
    })
    const at = 'model.layers.1.mlp.experts'
    const place = (name: string) => {
      const { shape, bytes } = c.tensors.get(name)!
      return [shape, bytes.offset, bytes.length]
    }
    const [, start] = place(`${at}.0.gate_proj.weight`) as [unknown, number]
    expect(place(`${at}.0.gate_proj.weight`)).toEqual([[3, 8], start, 96])
    expect(place(`${at}.0.up_proj.weight`)).toEqual([[3, 8], start + 96, 96])
    expect(place(`${at}.3.up_proj.weight`)).toEqual([[3, 8], start + 7 * 96, 96])
    expect(c.tensors.get(`${at}.3.down_proj.weight`)?.shape).toEqual([8, 3])
    expect(c.has('model.layers.1.mlp.gate.e_score_correction_bias')).toBe(true)
    expect(c.tensors.get('model.layers.0.self_attn.k_b_proj.weight')?.shape).toEqual([12, 6])
    expect(c.tensors.get('model.layers.0.self_attn.v_b_proj.weight')?.shape).toEqual([8, 6])
    expect([...c.tensors.keys()].some(name => name.startsWith('blk.'))).toBe(false)
  })

  it('what is not known keeps its name and is left over', async () => {
    const c = await open(decoder('llama'), { 'blk.0.attn_sinks.weight': f32(2), 'v.blk.0.x': f32(2) })
    expect(c.unused().filter(name => !name.startsWith('model.'))).toEqual(['blk.0.attn_sinks.weight', 'v.blk.0.x'])
  })

  it('that two tensors stand for is refused', async () => {
    await expect(open(decoder('llama'), { 'model.embed_tokens.weight': f32(8, 5) })).rejects.toThrow(
      'm.gguf: tensor "model.embed_tokens.weight" and another one both stand for "model.embed_tokens.weight"',
    )
    const layers = { 'blk.1.attn_q.weight': f32(8, 8), 'blk.01.attn_q.weight': f32(8, 8) }
    await expect(open(decoder('llama'), layers)).rejects.toThrow('"blk.01.attn_q.weight" and another one')
  })

  it('more experts than memory should hold are refused', async () => {
    const many = { type: 24, ne: [1, 1, 1_000_001], bytes: new Uint8Array(1_000_001) }
    await expect(open(decoder('deepseek2', MLA), { 'blk.0.ffn_up_exps.weight': many })).rejects.toThrow(
      'beyond the limit',
    )
  })
})

test.each<[string, Metadata, Tensors, new (m: string) => Error, string]>([
  [
    'another architecture',
    decoder('phi9'),
    {},
    UnsupportedModelError,
    'm.gguf: architecture "phi9" is not supported; latentkit runs deepseek2',
  ],
  ['a state', decoder('rwkv7'), {}, UnsupportedModelError, '"rwkv7" keeps a state in place of keys and values'],
  ['an embedder', decoder('jina-bert-v2'), {}, UnsupportedModelError, '"jina-bert-v2" turns texts into vectors'],
  ['pictures', decoder('flux'), {}, UnsupportedModelError, '"flux" makes pictures or films; latentkit runs'],
  [
    'a source and its answer',
    decoder('t5'),
    {},
    UnsupportedModelError,
    '"t5" has an encoder and a decoder: such a model is read from the folder',
  ],
  [
    'a projector',
    decoder('clip'),
    {},
    UnsupportedModelError,
    'is the projector of a model that sees or hears (mmproj)',
  ],
  [
    'an adapter',
    { ...decoder('llama'), 'general.type': ['string', 'adapter'] },
    {},
    UnsupportedModelError,
    'm.gguf is a LoRA adapter, not a model; give the path of the language',
  ],
  [
    'an imatrix, which has no architecture',
    { 'general.type': ['string', 'imatrix'] },
    {},
    UnsupportedModelError,
    'm.gguf holds what a quantisation is weighted with (imatrix)',
  ],
  ['no architecture', {}, {}, CheckpointError, 'm.gguf: key "general.architecture" is missing'],
  [
    "an experts' llama",
    decoder('llama', { expert_count: ['u32', 8] }),
    {},
    UnsupportedModelError,
    'is a llama with 8 experts',
  ],
  [
    'half a rope',
    decoder('llama', { 'rope.dimension_count': ['u32', 2] }),
    {},
    UnsupportedModelError,
    'partial_rotary_factor',
  ],
  [
    'values of another length',
    decoder('llama', { 'attention.value_length': ['u32', 2] }),
    {},
    CheckpointError,
    '"llama.attention.value_length" is 2; expected 4',
  ],
  [
    'no layers',
    decoder('llama', { block_count: ['u32', 0] }),
    {},
    CheckpointError,
    '"llama.block_count" is 0; expected an integer from 1 to 4096',
  ],
  [
    'no eps',
    decoder('llama', { 'attention.layer_norm_rms_epsilon': undefined }),
    {},
    CheckpointError,
    'is missing; expected a finite number above 0',
  ],
  [
    'another scaling',
    decoder('llama', { 'rope.scaling.type': ['string', 'ntk'] }),
    {},
    CheckpointError,
    '"llama.rope.scaling.type" is "ntk"',
  ],
  [
    'factors for another rope',
    decoder('llama'),
    { 'rope_freqs.weight': numbers(1) },
    ConfigError,
    'expected a list of length 2',
  ],
  [
    'factors in two axes',
    decoder('llama'),
    { 'rope_freqs.weight': f32(2, 2) },
    CheckpointError,
    'tensor "rope_freqs.weight" has shape [2, 2]',
  ],
  [
    'a Falcon of 40B',
    decoder('falcon', { 'attention.layer_norm_epsilon': ['f32', 1e-5] }),
    { 'blk.0.attn_norm_2.weight': f32(8) },
    UnsupportedModelError,
    'new decoder architecture',
  ],
  [
    'a type without arithmetic',
    decoder('llama'),
    { 'blk.0.attn_norm.weight': f32(8), 'blk.0.attn_q.weight': { type: 26, ne: [8, 8], bytes: new Uint8Array(256) } },
    CheckpointError,
    'is I32; expected F32, F16, BF16 or a block type',
  ],
  [
    'a norm in blocks',
    decoder('llama', { embedding_length: ['u32', 32] }),
    { 'token_embd.weight': f32(32, 5), 'blk.0.attn_norm.weight': { type: 8, ne: [32], bytes: new Uint8Array(34) } },
    CheckpointError,
    'is Q8_0; expected F32, F16 or BF16',
  ],
  [
    'a matrix of another shape',
    decoder('llama'),
    { 'blk.0.attn_norm.weight': f32(8), 'blk.0.attn_q.weight': f32(8, 4) },
    CheckpointError,
    'has shape [4, 8]; expected [8, 8]',
  ],
])('refused: %s', async (_, metadata, tensors, kind, message) => {
  const error: unknown = await open(metadata, tensors)
    .then(checkpoint => surveyWeights(modelOf(checkpoint)))
    .catch(e => e)
  expect(error).toBeInstanceOf(kind)
  expect((error as Error).message).toContain(message)
})

it('a vocabulary without weights is named', async () => {
  const vocabulary: Metadata = { ...decoder('llama'), 'tokenizer.ggml.tokens': ['array', 'string', ['a']] }
  const given = Object.entries(vocabulary).filter((entry): entry is [string, GgufValue] => entry[1] !== undefined)
  const bytes = writeGguf({ metadata: Object.fromEntries(given) })
  const files = filesFrom('folder', [memorySource('m.gguf', bytes)])
  await expect(openCheckpoint(files)).rejects.toThrow('m.gguf holds a vocabulary only, no weights')
})

describe('special tokens beyond the vocabulary', () => {
  const tokens: Metadata = {
    'tokenizer.ggml.model': ['string', 'gpt2'],
    'tokenizer.ggml.pre': ['string', 'gpt-2'],
    'tokenizer.ggml.tokens': ['array', 'string', ['a', 'b', '</s>']],
    'tokenizer.ggml.merges': ['array', 'string', []],
    'tokenizer.ggml.eos_token_id': ['u32', 2],
  }
  const warned = async (changes: Metadata) => {
    const given = { ...decoder('llama'), ...tokens, ...changes }
    return openCheckpoint(filesFrom('folder', [memorySource('m.gguf', bytesOf(given))]))
  }

  it.each(['bos', 'eos', 'eot', 'eom', 'unknown', 'padding', 'seperator', 'cls', 'mask', 'fim_pre'])(
    'count as not given, with a warning that names the key: %s',
    async role => {
      const key = `tokenizer.ggml.${role}_token_id`
      for (const value of [
        ['u32', 3],
        ['u32', 0xffff_ffff],
        ['i32', -1],
        ['u64', 2 ** 40],
      ] as const) {
        const { warnings, config, tokenizerConfig } = await warned({ [key]: value })
        expect(warnings).toHaveLength(1)
        expect(warnings[0]).toMatch(
          new RegExp(`^m.gguf: key "${key}" is -?\\d+, and the vocabulary has 3 tokens; it counts`),
        )
        expect(config.eos_token_id).toEqual(role === 'eos' ? [] : [2])
        expect(tokenizerConfig).not.toHaveProperty(role === 'eos' ? 'bos_token' : `${role.slice(0, 3)}_token`)
      }
    },
  )

  it('are warned of without a tokenizer too, and nothing is where all is well', async () => {
    expect((await warned({})).warnings).toEqual([])
    await expect(warned({ 'tokenizer.ggml.eos_token_id': ['string', 'x'] })).rejects.toThrow(
      'is "x"; expected an integer',
    )
  })

  it('a missing pre-tokenizer is said', async () => {
    for (const pre of [undefined, ['string', '']] as const) {
      const { warnings } = await warned({ 'tokenizer.ggml.pre': pre })
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toContain('m.gguf has no "tokenizer.ggml.pre"')
    }
    await expect(warned({ 'tokenizer.ggml.pre': ['string', 'nobody'] })).rejects.toThrow(
      'key "tokenizer.ggml.pre" is "nobody", a cut of texts that latentkit does not know',
    )
  })
})

describe('on disk', () => {
  const tokens: Metadata = {
    'tokenizer.ggml.model': ['string', 'gpt2'],
    'tokenizer.ggml.pre': ['string', 'gpt-2'],
    'tokenizer.ggml.tokens': ['array', 'string', ['a', 'b']],
    'tokenizer.ggml.merges': ['array', 'string', []],
  }
  const model = bytesOf({ ...decoder('llama'), ...tokens })

  it('a path, or a folder with one model in it', async () => {
    const folder = tempFolder({ 'm.gguf': model, 'mmproj-m.gguf': 'another', 'config.json': '{}', 'README.md': '' })
    const path = join(folder, 'm.gguf')
    const [byPath, byFolder] = [await openFolder(path), await openFolder(folder)]
    expect([byPath.name, byPath.configFile]).toEqual([path, path])
    expect([byFolder.name, byFolder.configFile]).toEqual([folder, path])
    expect(byPath.tensors.get('model.embed_tokens.weight')?.bytes.source.path).toBe(path)
    expect(byPath.tokenizer).toBeDefined()
    expect((await openFolder(path, { tokenizer: false })).tokenizer).toBeUndefined()
  })

  it('of several the path says which', async () => {
    const folder = tempFolder({ 'a.gguf': model, 'b.gguf': model })
    await expect(openFolder(folder)).rejects.toThrow(
      'holds several GGUF models: "a.gguf", "b.gguf"; give the path of one',
    )
    expect((await openFolder(join(folder, 'b.gguf'))).name).toBe(join(folder, 'b.gguf'))
  })

  it('a part without the others', async () => {
    const path = join(tempFolder({ 'm-00002-of-00002.gguf': model }), 'm-00002-of-00002.gguf')
    await expect(openFolder(path)).rejects.toThrow(`${path} has no m-00001-of-00002.gguf`)
  })

  it('files of the hub come first', async () => {
    const folder = tempFolder({ 'm.gguf': model, 'config.json': '{}', 'model.safetensors': '' })
    await expect(openFolder(folder)).rejects.toThrow('model.safetensors')
  })
})
