/** A model that does not run is refused with the nearest one that does, and what is missing. */
import { expect, it } from 'vitest'
import { ConfigReader } from '../../src/checkpoint/config-reader.ts'
import { parseConfig } from '../../src/families/index.ts'

const SIZES = { hidden_size: 32, num_hidden_layers: 3, num_attention_heads: 4, vocab_size: 100, intermediate_size: 64 }
const LONGCAT = {
  ...{ model_type: 'longcat_flash', num_layers: 2, ffn_hidden_size: 8, expert_ffn_hidden_size: 8, moe_topk: 2 },
  ...{ n_routed_experts: 4, zero_expert_num: 2, kv_lora_rank: 8, q_lora_rank: 8 },
  ...{ qk_rope_head_dim: 4, qk_nope_head_dim: 4, v_head_dim: 4 },
}
const { zero_expert_num: _, ...UNSAID } = LONGCAT
const LATENT = { kv_lora_rank: 8, qk_rope_head_dim: 4, qk_nope_head_dim: 4, v_head_dim: 4 }
const LING = { ...LATENT, model_type: 'bailing_hybrid', layer_group_size: 3, head_dim: 8 }
const KIMI = {
  ...LATENT,
  model_type: 'kimi_linear',
  linear_attn_config: {
    kda_layers: [1, 2],
    full_attn_layers: [3],
    num_heads: 2,
    head_dim: 8,
    short_conv_kernel_size: 4,
  },
}
const LFM2 = { model_type: 'lfm2', conv_L_cache: 3, layer_types: ['conv', 'full_attention', 'conv'] }
const GEMMA4 = {
  ...{ model_type: 'gemma4_text', head_dim: 8, global_head_dim: 16, num_key_value_heads: 2, sliding_window: 4 },
  layer_types: ['sliding_attention', 'sliding_attention', 'full_attention'],
}
const refusal = (json: Record<string, unknown>) => {
  try {
    parseConfig(new ConfigReader(json, 'config.json'))
  } catch (error) {
    return (error as Error).message
  }
  return 'it runs'
}

it.each<[string, Record<string, unknown>, string]>([
  [
    'a state in place of keys',
    { ...SIZES, model_type: 'qwen4_next', linear_num_value_heads: 4 },
    '"qwen4_next" is not supported; nearest to it is "qwen3_next", and the rest of its architecture is not known here; latentkit runs',
  ],
  [
    'an indexer',
    { ...SIZES, model_type: 'hy_v4', kv_lora_rank: 16, qk_rope_head_dim: 8, index_topk: 4, hc_mult: 2 },
    'nearest to it is "deepseek_v32", and what is missing is hyper-connections (hc_mult)',
  ],
  [
    'latents of an unknown family',
    { ...SIZES, model_type: 'new_mla', kv_lora_rank: 16, qk_rope_head_dim: 8 },
    'nearest to it is "deepseek_v3", and the rest of its architecture is not known here',
  ],
  [
    'latents where a namesake has none',
    { ...SIZES, model_type: 'mistral_large4', kv_lora_rank: 16, qk_rope_head_dim: 8 },
    'nearest to it is "mistral4"',
  ],
  [
    'one thing that two fields say',
    { ...SIZES, model_type: 'zzz', ssm_state_size: 8, mamba_num_heads: 4 },
    'what is missing is layers with a state as Mamba has it (mamba_num_heads); latentkit runs',
  ],
  ['experts of an unknown family', { ...SIZES, model_type: 'zzz', num_experts: 8 }, 'nearest to it is "qwen3_moe"'],
  ['nothing else', { ...SIZES, model_type: 'zzz' }, 'nearest to it is "llama"'],
  [
    'an encoder-decoder that is known by name',
    { ...SIZES, model_type: 'mbart', is_encoder_decoder: true },
    '"mbart" is an encoder-decoder that is not supported; nearest to it is "marian", and what is missing is norms before each part, learned positions and a norm on embeddings; latentkit runs',
  ],
  [
    'an encoder-decoder with biases of distances',
    { ...SIZES, model_type: 'zzz', is_encoder_decoder: true, relative_attention_num_buckets: 32 },
    'nearest to it is "t5", and the rest of its architecture is not known here',
  ],
  ['an encoder-decoder', { ...SIZES, model_type: 'zzz', is_encoder_decoder: true }, 'nearest to it is "marian"'],
  [
    'a model inside',
    { model_type: 'some_vl', text_config: { ...SIZES, model_type: 'llama' } },
    'nearest to it is "llama", and what is missing is how it is taken out of the model around it (text_config)',
  ],
  [
    'another model inside',
    { model_type: 'qwen3_vl', text_config: { ...SIZES, model_type: 'qwen3_vl_text' } },
    'nearest to it is "qwen3", and what is missing is the language model inside, "qwen3_vl_text" (text_config)',
  ],
  [
    'another spelling',
    { ...SIZES, model_type: 'Qwen3-MoE' },
    'the family that runs is written "qwen3_moe"; latentkit runs',
  ],
  ['experts of a namesake', { ...SIZES, model_type: 'qwen4_moe', num_experts: 8 }, 'nearest to it is "qwen3_moe", and'],
  ['a name that only begins alike', { ...SIZES, model_type: 'minimax_m9' }, 'nearest to it is "llama"'],
  ['a later version', { ...SIZES, model_type: 'smollm4' }, 'nearest to it is "smollm3"'],
  [
    'a decoder that is known by name',
    { ...SIZES, model_type: 'olmo3' },
    'nearest to it is "olmo2", and what is missing is windows in three of four layers; latentkit runs',
  ],
  ['compressed attention', { ...SIZES, model_type: 'deepseek_v4' }, 'compressed sparse attention'],
])('%s', (_, json, message) => {
  expect(refusal(json)).toContain(message)
})

it.each<[string, Record<string, unknown>, string]>([
  [
    'phi3 under YaRN',
    { model_type: 'phi3', rope_scaling: { type: 'yarn', factor: 2 } },
    'rope type "yarn" is not supported in phi3',
  ],
  ['hunyuan with shared keys', { model_type: 'hunyuan_v1_dense', use_cla: true }, '"use_cla"'],
  [
    'hunyuan under plain dynamic rope',
    { model_type: 'hunyuan_v1_dense', rope_scaling: { type: 'dynamic', factor: 2 } },
    'rope type "dynamic"',
  ],
  [
    'glm4 with no rotated numbers',
    { model_type: 'glm4', head_dim: 8, partial_rotary_factor: 0.1 },
    '"partial_rotary_factor" is 0.1; expected a part of head_dim',
  ],
  ['a partial rope in llama', { model_type: 'llama', partial_rotary_factor: 0.5 }, 'a partial_rotary_factor of 0.5'],
  ['longcat with a bias of its router', { ...LONGCAT, router_bias: true }, 'a bias of its router (router_bias)'],
  ['longcat whose latents are not scaled', { ...LONGCAT, mla_scale_kv_lora: false }, '(mla_scale_kv_lora)'],
  ['longcat with other idle experts', { ...LONGCAT, zero_expert_type: 'drop' }, 'a zero_expert_type of "drop"'],
  ['longcat that does not say how many are idle', UNSAID, '"zero_expert_num" is missing'],
  ['gemma4 that sees later tokens', { ...GEMMA4, use_bidirectional_attention: 'all' }, 'bidirectional attention'],
  [
    'gemma4 whose first layers keep no keys of a kind',
    { ...GEMMA4, num_kv_shared_layers: 2 },
    '"num_kv_shared_layers" is 2; expected a layer without a window',
  ],
  [
    'gemma4 whose tokens have not all a vector for each layer',
    { ...GEMMA4, vocab_size_per_layer_input: 2 },
    '"vocab_size_per_layer_input" is 2; expected at least vocab_size',
  ],
  [
    'gemma4 whose wide heads have no width',
    { ...GEMMA4, global_head_dim: null },
    '"global_head_dim" is null; expected a number',
  ],
  [
    'gemma4 that counts windows otherwise than its class',
    { ...GEMMA4, layer_types: undefined, sliding_window_pattern: 5 },
    '"sliding_window_pattern" is 5; expected 6, or layer_types',
  ],
  [
    'gemma4 all of whose layers read the keys of others',
    { ...GEMMA4, num_kv_shared_layers: 3 },
    '"num_kv_shared_layers" is 3; expected a layer',
  ],
  ['gemma4 without a number of experts', { ...GEMMA4, enable_moe_block: true }, '"num_experts" is missing'],
  ['ling whose limits are too few', { ...LING, expert_swiglu_limit_list: [1] }, 'a limit for each of the 3 layers'],
  ['ling that never decays', { ...LING, kda_lower_bound: 0 }, '"kda_lower_bound" is 0; expected a number below 0'],
  ['ling without norms of states', { ...LING, use_qk_norm: false }, '"use_qk_norm" is false; expected true'],
  ['kimi-k3 under its name', { ...KIMI, attn_res_block_size: 12 }, '"attn_res_block_size" is a part of Kimi-K3'],
  [
    'kimi-linear with a layer of both kinds',
    { ...KIMI, linear_attn_config: { ...KIMI.linear_attn_config, full_attn_layers: [2, 3] } },
    'expected no layer of full_attn_layers',
  ],
  ['longcat with n-grams', { ...LONGCAT, use_ngram_embedding: true }, 'an embedding of n-grams (use_ngram_embedding)'],
  ['lfm2 that sees later tokens', { ...LFM2, architectures: ['Lfm2BidirModel'] }, '"Lfm2BidirModel" sees later tokens'],
  ['lfm2 without gates', { ...LFM2, block_use_swiglu: false }, '"block_use_swiglu" is false; expected true'],
  [
    'layers of a type that is not known',
    { model_type: 'llama', layer_types: ['full_attention', 'ring_attention', 'full_attention'] },
    'layers of type "ring_attention" (layer_types)',
  ],
  [
    'a rope of layers that are not known',
    { model_type: 'llama', rope_parameters: { indexed_attention: { rope_theta: 1e6 } } },
    'a rope for layers of type "indexed_attention"',
  ],
  [
    'a list of rotated layers that is too short',
    { model_type: 'smollm3', no_rope_layers: [1] },
    '"no_rope_layers" is a list of 1; expected a 1 or 0 for each of the 3 layers',
  ],
])('%s', (_, json, message) => {
  expect(refusal({ ...SIZES, ...json })).toContain(message)
})
