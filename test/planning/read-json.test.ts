import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ConfigReader } from '../../src/checkpoint/config-reader.ts'
import { ConfigError, UnsupportedModelError } from '../../src/errors.ts'
import { parseConfig } from '../../src/families/index.ts'
import type { PlanModel } from '../../src/planning/plan-model.ts'
import { publishedModel } from '../../src/planning/published/index.ts'
import { planModelFromJson } from '../../src/planning/read/json.ts'
import { planModelFromConfig } from '../../src/planning/read/model-config.ts'
import { countWeights } from '../../src/planning/weights.ts'

const LLAMA = {
  model_type: 'llama',
  hidden_size: 4096,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  intermediate_size: 14_336,
  vocab_size: 128_256,
  max_position_embeddings: 8192,
  torch_dtype: 'bfloat16',
}

/** What decides bytes: all but names. */
function sizes({ name, source, notes, stored, draftLayers, weightDtype, ...rest }: PlanModel) {
  return rest
}

const FOLDERS = ['../fixtures/checkpoints/', '../../models/'].map(f => new URL(f, import.meta.url))
const CONFIGS = FOLDERS.flatMap(folder =>
  readdirSync(folder).map(name => [name, new URL(`${name}/config.json`, folder)] as const),
).filter(([, url]) => existsSync(url))

describe('a config.json', () => {
  it.each(CONFIGS)('%s reads as the engine reads it', (_, url) => {
    const json = JSON.parse(readFileSync(url, 'utf8'))
    const engine = planModelFromConfig(parseConfig(new ConfigReader(json, 'config.json')))
    expect(sizes(planModelFromJson(json))).toEqual(sizes(engine))
  })

  it('biases of Qwen3.5 are of the gate beside its queries, too', () => {
    const types = { layer_types: ['full_attention', 'linear_attention'], num_hidden_layers: 2, head_dim: 128 }
    const states = { linear_conv_kernel_dim: 4, linear_key_head_dim: 128, linear_value_head_dim: 128 }
    const config = { ...LLAMA, ...types, ...states, linear_num_key_heads: 16, linear_num_value_heads: 32 }
    const counted = (attention_bias: boolean) =>
      countWeights(planModelFromJson({ ...config, model_type: 'qwen3_5_text', attention_bias }), { draft: false })
        .parameters
    expect(counted(true) - counted(false)).toBe((2 * 32 + 2 * 8) * 128 + 4096)
  })

  it('a frequency of experts may be a list of the layers that have them', () => {
    const experts = { num_experts: 8, num_experts_per_tok: 2, moe_intermediate_size: 64 }
    const withExperts = (moe_layer_freq: unknown) =>
      planModelFromJson({ ...LLAMA, num_hidden_layers: 4, ...experts, moe_layer_freq })
        .layers.filter(l => l.mlp.kind === 'moe')
        .reduce((n, l) => n + l.count, 0)
    expect([[0, 1, 1, 1], [0, 0, 0, 1], 2].map(withExperts)).toEqual([3, 1, 2])
    expect(() => withExperts([0, 1])).toThrow(/"moe_layer_freq"/)
  })

  // As the hub has them, less the fields that decide nothing here.
  it.each<[string, string, Record<string, unknown>]>([
    ['Meta-Llama-3-8B', 'bf16', LLAMA],
    [
      'DeepSeek-V3.2',
      'fp8',
      {
        model_type: 'deepseek_v32',
        hidden_size: 7168,
        num_hidden_layers: 61,
        num_attention_heads: 128,
        num_key_value_heads: 128,
        vocab_size: 129_280,
        intermediate_size: 18_432,
        moe_intermediate_size: 2048,
        n_routed_experts: 256,
        n_shared_experts: 1,
        num_experts_per_tok: 8,
        first_k_dense_replace: 3,
        moe_layer_freq: 1,
        topk_method: 'noaux_tc',
        q_lora_rank: 1536,
        kv_lora_rank: 512,
        qk_rope_head_dim: 64,
        qk_nope_head_dim: 128,
        v_head_dim: 128,
        index_topk: 2048,
        index_n_heads: 64,
        index_head_dim: 128,
        num_nextn_predict_layers: 1,
        max_position_embeddings: 163_840,
        tie_word_embeddings: false,
        torch_dtype: 'bfloat16',
        quantization_config: { quant_method: 'fp8', weight_block_size: [128, 128] },
      },
    ],
    [
      'falcon-40b',
      'bf16',
      {
        model_type: 'falcon',
        hidden_size: 8192,
        num_hidden_layers: 60,
        num_attention_heads: 128,
        num_kv_heads: 8,
        new_decoder_architecture: true,
        multi_query: true,
        parallel_attn: true,
        bias: false,
        alibi: false,
        vocab_size: 65_024,
        max_position_embeddings: 2048,
        torch_dtype: 'bfloat16',
      },
    ],
    [
      'falcon-7b',
      'bf16',
      {
        model_type: 'falcon',
        hidden_size: 4544,
        num_hidden_layers: 32,
        num_attention_heads: 71,
        num_kv_heads: 71,
        new_decoder_architecture: false,
        multi_query: true,
        parallel_attn: true,
        bias: false,
        alibi: false,
        vocab_size: 65_024,
        max_position_embeddings: 2048,
        torch_dtype: 'bfloat16',
      },
    ],
    [
      'gpt-oss-20b',
      'mxfp4',
      {
        model_type: 'gpt_oss',
        hidden_size: 2880,
        num_hidden_layers: 24,
        num_attention_heads: 64,
        num_key_value_heads: 8,
        head_dim: 64,
        vocab_size: 201_088,
        intermediate_size: 2880,
        num_local_experts: 32,
        num_experts_per_tok: 4,
        sliding_window: 128,
        attention_bias: true,
        max_position_embeddings: 131_072,
        layer_types: Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 'sliding_attention' : 'full_attention')),
        tie_word_embeddings: false,
        quantization_config: { quant_method: 'mxfp4' },
      },
    ],
    [
      'Qwen3-30B-A3B',
      'bf16',
      {
        model_type: 'qwen3_moe',
        hidden_size: 2048,
        num_hidden_layers: 48,
        num_attention_heads: 32,
        num_key_value_heads: 4,
        head_dim: 128,
        vocab_size: 151_936,
        intermediate_size: 6144,
        moe_intermediate_size: 768,
        num_experts: 128,
        num_experts_per_tok: 8,
        decoder_sparse_step: 1,
        mlp_only_layers: [],
        sliding_window: null,
        max_position_embeddings: 40_960,
        torch_dtype: 'bfloat16',
        tie_word_embeddings: false,
      },
    ],
    [
      'Mixtral-8x7B',
      'bf16',
      {
        model_type: 'mixtral',
        hidden_size: 4096,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        vocab_size: 32_000,
        intermediate_size: 14_336,
        num_local_experts: 8,
        num_experts_per_tok: 2,
        sliding_window: null,
        max_position_embeddings: 32_768,
        torch_dtype: 'bfloat16',
      },
    ],
    [
      'gemma-2-2b',
      'f32',
      {
        model_type: 'gemma2',
        hidden_size: 2304,
        num_hidden_layers: 26,
        num_attention_heads: 8,
        num_key_value_heads: 4,
        head_dim: 256,
        vocab_size: 256_000,
        intermediate_size: 9216,
        sliding_window: 4096,
        max_position_embeddings: 8192,
        torch_dtype: 'float32',
      },
    ],
    [
      'Phi-3-mini-4k-instruct',
      'bf16',
      {
        model_type: 'phi3',
        hidden_size: 3072,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        num_key_value_heads: 32,
        vocab_size: 32_064,
        intermediate_size: 8192,
        sliding_window: 2047,
        max_position_embeddings: 4096,
        torch_dtype: 'bfloat16',
        tie_word_embeddings: false,
      },
    ],
    [
      'starcoder',
      'f32',
      {
        model_type: 'gpt_bigcode',
        n_embd: 6144,
        n_layer: 40,
        n_head: 48,
        n_inner: 24_576,
        n_positions: 8192,
        vocab_size: 49_152,
        multi_query: true,
        torch_dtype: 'float32',
      },
    ],
    [
      'PLM-1.8B',
      'bf16',
      {
        model_type: 'plm',
        hidden_size: 2048,
        num_hidden_layers: 32,
        num_attention_heads: 16,
        vocab_size: 151_936,
        intermediate_size: 8192,
        hidden_act: 'relu2',
        q_lora_rank: null,
        kv_lora_rank: 512,
        qk_rope_head_dim: 64,
        qk_nope_head_dim: 128,
        v_head_dim: 128,
        tie_word_embeddings: true,
        max_position_embeddings: 4096,
      },
    ],
  ])('of %s means what the list of published models says, weights in %s', (name, dtype, json) => {
    const model = planModelFromJson(json)
    const known = publishedModel(name)
    const options = { draft: known.draftLayers.length > 0 }
    expect(countWeights(model, options)).toEqual(countWeights(known, options))
    const kinds = (m: PlanModel) =>
      m.layers.map(l => JSON.stringify([l.count, l.attention, l.window, l.indexer, l.mlp.kind])).sort()
    expect(kinds(model)).toEqual(kinds(known))
    expect(model.weightDtype).toBe(dtype)
    expect([model.notes, model.unknown]).toEqual([[], undefined])
  })

  it('of a model that sees keeps the language model one level down', () => {
    const model = planModelFromJson({
      model_type: 'gemma3',
      text_config: { ...LLAMA, model_type: 'gemma3_text', head_dim: 128 },
      vision_config: {},
    })
    expect([model.modelType, model.layers.reduce((n, l) => n + l.count, 0)]).toEqual(['gemma3_text', 32])
  })

  it('of an unknown family is counted like a Llama, and says so', () => {
    const model = planModelFromJson({ ...LLAMA, model_type: 'somebodys_llama' })
    expect(countWeights(model, { draft: false }).parameters).toBe(8_030_261_248)
    expect(model.unknown).toMatchObject([{ field: 'model_type', affects: 'weights' }])
    expect(model.unknown?.[0]?.reason).toMatch(/"somebodys_llama" is not known.*as if its blocks were like Llama/)
  })

  it('quantised by others keeps its sizes, and says how it is counted', () => {
    const model = planModelFromJson({ ...LLAMA, quantization_config: { quant_method: 'gptq', bits: 4 } })
    expect(model.unknown?.[0]?.reason).toMatch(/quantised with "gptq"; its weights are counted as bf16/)
  })

  it('windows: from a layer on, in a pattern, layer by layer, everywhere, nowhere', () => {
    const windows = (more: object) =>
      Object.fromEntries(planModelFromJson({ ...LLAMA, ...more }).layers.map(l => [String(l.window), l.count]))
    expect(windows({ model_type: 'mistral' })).toEqual({ 4096: 32 })
    expect(windows({ model_type: 'mistral', sliding_window: null })).toEqual({ null: 32 })
    expect(windows({ model_type: 'qwen2', sliding_window: 512, max_window_layers: 20 })).toEqual({ null: 32 })
    expect(
      windows({ model_type: 'qwen2', sliding_window: 512, max_window_layers: 20, use_sliding_window: true }),
    ).toEqual({ null: 20, 512: 12 })
    expect(windows({ model_type: 'gemma3_text', sliding_window: 1024, sliding_window_pattern: 6 })).toEqual({
      null: 5,
      1024: 27,
    })
    const types = Array.from({ length: 32 }, (_, i) => (i < 3 ? 'full_attention' : 'sliding_attention'))
    expect(windows({ model_type: 'olmo3', sliding_window: 4096, layer_types: types })).toEqual({ null: 3, 4096: 29 })
  })
})

describe('refusals say what was met and what to do', () => {
  const refused = (json: unknown) => {
    try {
      planModelFromJson(json, 'x/config.json')
    } catch (error) {
      return error
    }
    return undefined
  }

  it.each<[string, unknown, new (...args: never[]) => Error, RegExp]>([
    [
      'DeepSeek-V4',
      { ...LLAMA, model_type: 'deepseek_v4', compress_ratios: [4, 128] },
      UnsupportedModelError,
      /"deepseek_v4" has no kv_lora_rank but compressed sparse attention.*plans MLA, MHA, GQA and MQA/,
    ],
    [
      'compress_ratios of any name',
      { ...LLAMA, compress_ratios: [4] },
      UnsupportedModelError,
      /compressed sparse attention/,
    ],
    ['an encoder-decoder', { ...LLAMA, is_encoder_decoder: true }, UnsupportedModelError, /encoder-decoder/],
    [
      'linear attention',
      { ...LLAMA, layer_types: ['linear_attention', 'full_attention'] },
      UnsupportedModelError,
      /state of fixed size/,
    ],
    [
      'a state-space model',
      { model_type: 'mamba', hidden_size: 768, state_size: 16 },
      UnsupportedModelError,
      /state of fixed size.*state_size/,
    ],
    [
      'no attention fields',
      { model_type: 'bert-like', hidden_size: 768 },
      ConfigError,
      /x\/config\.json: there are no attention fields; expected num_attention_heads/,
    ],
    ['an empty object', {}, ConfigError, /no attention fields/],
    ['a list', [], ConfigError, /a list of 0; expected a JSON object/],
    ['null', null, ConfigError, /expected a JSON object/],
    ['a missing size', { ...LLAMA, hidden_size: undefined }, ConfigError, /"hidden_size" is missing/],
    [
      'a negative size',
      { ...LLAMA, num_hidden_layers: -1 },
      ConfigError,
      /"num_hidden_layers" is -1; expected an integer/,
    ],
    ['an absurd size', { ...LLAMA, num_hidden_layers: 1e9 }, ConfigError, /num_hidden_layers/],
    ['a text for a number', { ...LLAMA, num_attention_heads: 'many' }, ConfigError, /"num_attention_heads" is "many"/],
    [
      'heads that do not share',
      { ...LLAMA, num_key_value_heads: 7 },
      ConfigError,
      /"num_key_value_heads" is 7; expected a divisor/,
    ],
    [
      'half an MLA',
      { ...LLAMA, kv_lora_rank: 512, qk_rope_head_dim: 64 },
      ConfigError,
      /"qk_nope_head_dim" is missing/,
    ],
  ])('%s', (_, json, kind, message) => {
    const error = refused(json)
    expect(error).toBeInstanceOf(kind)
    expect((error as Error).message).toMatch(message)
    expect((error as Error).message).not.toContain('\n')
  })
})
