/**
 * Fields that a config.json leaves out, as transformers' classes have them (5.24; `npm run nightly -- numbers` computes such models, and
 * test/interop/make_families.py has them as DEFAULTS).
 */
import { expect, it } from 'vitest'
import { ConfigReader } from '../../src/checkpoint/config-reader.ts'
import { parseConfig } from '../../src/families/index.ts'
import { textPart } from '../../src/model/open/text-part.ts'
import { planModelFromJson } from '../../src/planning/read/json.ts'

const SIZES = {
  ...{ vocab_size: 64, hidden_size: 64, intermediate_size: 32, num_hidden_layers: 2, num_attention_heads: 16 },
  max_position_embeddings: 8192,
}
const EXPERTS = { num_experts: 4, num_local_experts: 4, num_experts_per_tok: 2, moe_intermediate_size: 8 }
const LATENT = {
  ...{ kv_lora_rank: 16, q_lora_rank: 8, qk_rope_head_dim: 4, qk_nope_head_dim: 4, v_head_dim: 4 },
  ...{ n_routed_experts: 4, num_experts_per_tok: 2, moe_intermediate_size: 8, n_group: 1, topk_group: 1 },
}
const parse = (fields: { readonly model_type: string; readonly [field: string]: unknown }) => {
  const experts = /moe|gpt_oss/.test(fields.model_type) ? EXPERTS : {}
  return parseConfig(new ConfigReader({ ...SIZES, ...experts, ...fields }, 'config.json'))
}

it.each([
  ['glm4', 2],
  ['ernie4_5', 2],
  ['smollm3', 4],
  ['qwen3_moe', 4],
  ['ministral3', 8],
  ['gpt_oss', 8],
  ['llama', 16],
])('key-value heads of %s', (model_type, heads) => {
  const kvHeads = (fields: object) => parse({ model_type, head_dim: 4, ...fields }).layers[0]?.attention
  expect(kvHeads({})).toMatchObject({ nKvHeads: heads })
  expect(kvHeads({ num_key_value_heads: null })).toMatchObject({ nKvHeads: 16 })
})

it.each(['mistral4', 'axk1', 'deepseek_v32', 'glm_moe_dsa', 'axk2'])('shared experts of %s', model_type => {
  const sparse = { index_topk: 4, index_n_heads: 2, index_head_dim: 8, gated_norm_rank: 2 }
  const others = /v32|dsa|axk2/.test(model_type) ? sparse : {}
  const model = (fields: object) => parse({ ...LATENT, ...others, first_k_dense_replace: 0, model_type, ...fields })
  expect(model({}).layers[0]?.mlp).toMatchObject({ sharedSize: 8 })
  expect(model({ n_shared_experts: 0 }).layers[0]?.mlp).toMatchObject({ sharedSize: 0 })
})

it.each([
  ['ministral3', {}, { factor: 16, originalPositions: 16_384 }, 1e6],
  ['mistral4', LATENT, { factor: 128, originalPositions: 8192 }, 1e4],
  ['gpt_oss', {}, { factor: 32, originalPositions: 4096, truncate: false }, 150_000],
])('the rope of %s', (model_type, fields, scaling, theta) => {
  const [rope] = parse({ model_type, head_dim: 4, ...fields }).ropes
  expect(rope).toMatchObject({ theta, scaling: { kind: 'yarn', ...scaling } })
})

it("Phi-3's original positions are beside the rope's settings, or 4096", () => {
  const factors = { short_factor: [1, 1], long_factor: [2, 2] }
  const rope_scaling = { type: 'longrope', ...factors, original_max_position_embeddings: 77 }
  const original = (fields: object) =>
    parse({ model_type: 'phi3', head_dim: 4, rope_scaling, ...fields }).ropes[0]?.scaling
  expect(original({})).toMatchObject({ originalPositions: 4096, maxPositions: 8192 })
  expect(original({ original_max_position_embeddings: 256 })).toMatchObject({ originalPositions: 256 })
})

it('every layer of Qwen3.5 with experts has them, of Qwen3-Next those that the file does not except', () => {
  const states = {
    ...{ linear_conv_kernel_dim: 2, linear_key_head_dim: 4, linear_value_head_dim: 4, linear_num_key_heads: 1 },
    ...{
      linear_num_value_heads: 1,
      shared_expert_intermediate_size: 4,
      layer_types: ['full_attention', 'full_attention'],
    },
  }
  const kinds = (model_type: string) =>
    parse({ ...EXPERTS, ...states, head_dim: 16, model_type, mlp_only_layers: [0] }).layers.map(layer => layer.mlp.kind)
  expect(kinds('qwen3_5_moe_text')).toEqual(['moe', 'moe'])
  expect(kinds('qwen3_next')).toEqual(['dense', 'moe'])
})

it('Ling 3.0 rotates all of qk_rope_head_dim, whatever part its published files speak of', () => {
  const part = { partial_rotary_factor: 0.5, rope_theta: 6e6, rope_type: 'default' }
  const fields = { ...LATENT, num_experts: 4, layer_group_size: 2, head_dim: 4, rope_parameters: part }
  const { ropes } = parse({ ...fields, model_type: 'bailing_hybrid', partial_rotary_factor: 0.5 })
  expect(ropes).toMatchObject([{ dim: 4, theta: 6e6, scaling: { kind: 'none' } }])
})

it("scores of GPT-2's layers are divided by their number, counted from 1, where the file says so", () => {
  const gpt2 = { model_type: 'gpt2', n_embd: 64, n_head: 16, num_hidden_layers: 3, n_positions: 32 }
  const scales = (fields: object) =>
    parse({ ...gpt2, ...fields }).layers.map(({ attention: a }) => a.kind === 'grouped' && a.softmaxScale)
  expect(scales({})).toEqual([0.5, 0.5, 0.5])
  expect(scales({ scale_attn_by_inverse_layer_idx: true })).toEqual([0.5, 0.25, 0.5 / 3])
  expect(scales({ scale_attn_by_inverse_layer_idx: true, scale_attn_weights: false })).toEqual([1, 0.5, 1 / 3])
})

const GEMMA3_4B = {
  ...{ hidden_size: 2560, intermediate_size: 10_240, num_hidden_layers: 34, sliding_window: 1024 },
  ...{ model_type: 'gemma3_text', rope_scaling: { factor: 8, rope_type: 'linear' } },
}

it('a language model inside a model that sees may leave out what its class fills in: Gemma 3 4B as published', () => {
  const { config, wrapper } = textPart({ model_type: 'gemma3', text_config: GEMMA3_4B, eos_token_id: [1, 106] }, 'f')
  expect(wrapper).toBe('gemma3')
  const model = parseConfig(new ConfigReader(config, 'f'))
  expect(model).toMatchObject({ vocabSize: 262_208, maxPositions: 131_072, eosTokenIds: [1, 106], hiddenSize: 2560 })
  const grouped = { nHeads: 8, nKvHeads: 4, headDim: 256, softmaxScale: 1 / 16 }
  expect(model.layers[4]).toMatchObject({ window: 1024, rope: 1, attention: grouped })
  expect(model.layers[5]).toMatchObject({ window: null, rope: 0 })
  expect(model.ropes).toMatchObject([{ theta: 1e6, scaling: { factor: 8 } }, { theta: 1e4 }])
})

it('the planner counts it, too', () => {
  const model = planModelFromJson({ model_type: 'gemma3', text_config: GEMMA3_4B })
  expect(model).toMatchObject({ vocabSize: 262_208, maxPositions: 131_072 })
})

it.each([
  ['mistral3', 'mistral', 4096, 32],
  ['mistral3', 'ministral3', 4096, 34],
  ['mistral3', 'mistral4', 4096, 36],
  ['gemma4', 'gemma4_text', 2304, 30],
  ['qwen3_5', 'qwen3_5_text', 4096, 32],
  ['qwen3_5_moe', 'qwen3_5_moe_text', 2048, 40],
])('all sizes of %s with %s', (whole, model_type, hiddenSize, nLayers) => {
  const { config } = textPart({ model_type: whole, text_config: { model_type } }, 'f')
  expect(parseConfig(new ConfigReader(config, 'f'))).toMatchObject({ hiddenSize, nLayers })
})
