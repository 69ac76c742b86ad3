/**
 * Published models whose layers are unlike each other, by the fields of config.json that decide sizes: those that a row of `rows.ts` has
 * no letters for. Each with its repository, and `=` in front of others with the same sizes.
 */
type Fields = Readonly<Record<string, unknown>>

export const CONFIGS: Readonly<Record<string, Fields>> = {
  'moonshotai/Kimi-Linear-48B-A3B-Instruct =moonshotai/Kimi-Linear-48B-A3B-Base =Kimi-Linear': {
    ...{
      model_type: 'kimi_linear',
      hidden_size: 2304,
      intermediate_size: 9216,
      num_hidden_layers: 27,
      vocab_size: 163840,
    },
    ...{
      num_attention_heads: 32,
      num_key_value_heads: 32,
      model_max_length: 1048576,
      max_position_embeddings: 1048576,
    },
    ...{ kv_lora_rank: 512, qk_rope_head_dim: 64, qk_nope_head_dim: 128, v_head_dim: 128, mla_use_nope: true },
    ...{ num_experts: 256, num_experts_per_token: 8, num_shared_experts: 1, moe_intermediate_size: 1024 },
    ...{ first_k_dense_replace: 1, moe_layer_freq: 1, tie_word_embeddings: false },
    linear_attn_config: {
      ...{ head_dim: 128, num_heads: 32, short_conv_kernel_size: 4, full_attn_layers: [4, 8, 12, 16, 20, 24, 27] },
      kda_layers: [1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23, 25, 26],
    },
  },
  'inclusionAI/Ling-3.0-tiny': {
    ...ling(24, 1536, 16, 4608),
    ...{
      q_lora_rank: 256,
      num_experts: 128,
      moe_intermediate_size: 512,
      first_k_dense_replace: 1,
      layer_group_size: 4,
    },
  },
  'inclusionAI/Ling-3.0-flash': {
    ...ling(42, 2560, 32, 6144),
    ...{ num_experts: 512, moe_intermediate_size: 768, first_k_dense_replace: 2, layer_group_size: 6 },
  },
  'Qwen/Qwen3-Next-80B-A3B-Instruct =Qwen/Qwen3-Next-80B-A3B-Thinking =Qwen3-Next': {
    ...qwen('qwen3_next', 48, 2048, [16, 2], [16, 32]),
    ...{
      vocab_size: 151936,
      intermediate_size: 5632,
      num_experts: 512,
      num_experts_per_tok: 10,
      moe_intermediate_size: 512,
    },
    ...{ shared_expert_intermediate_size: 512, decoder_sparse_step: 1, mlp_only_layers: [] },
  },
  'Qwen/Qwen3.5-0.8B': {
    ...qwen('qwen3_5_text', 24, 1024, [8, 2], [16, 16]),
    ...{ intermediate_size: 3584, tie_word_embeddings: true },
  },
  'Qwen/Qwen3.5-9B': { ...qwen('qwen3_5_text', 32, 4096, [16, 4], [16, 32]), intermediate_size: 12288 },
  'Qwen/Qwen3.5-27B': { ...qwen('qwen3_5_text', 64, 5120, [24, 4], [16, 48]), intermediate_size: 17408 },
  'Qwen/Qwen3.5-35B-A3B': {
    ...qwen('qwen3_5_moe_text', 40, 2048, [16, 2], [16, 32]),
    ...{ num_experts: 256, num_experts_per_tok: 8, moe_intermediate_size: 512, shared_expert_intermediate_size: 512 },
  },
  'LiquidAI/LFM2-350M': lfm2(1024, 6656, 16),
  'LiquidAI/LFM2-700M': lfm2(1536, 10240, 24),
  'LiquidAI/LFM2-1.2B =LiquidAI/LFM2.5-1.2B-Instruct': lfm2(2048, 12288, 32),
  'meituan-longcat/LongCat-Flash-Chat =meituan-longcat/LongCat-Flash-Thinking =LongCat-Flash': {
    ...{ model_type: 'longcat_flash', hidden_size: 6144, num_layers: 28, num_attention_heads: 64, vocab_size: 131072 },
    ...{
      ffn_hidden_size: 12288,
      expert_ffn_hidden_size: 2048,
      max_position_embeddings: 131072,
      tie_word_embeddings: false,
    },
    ...{ q_lora_rank: 1536, kv_lora_rank: 512, qk_rope_head_dim: 64, qk_nope_head_dim: 128, v_head_dim: 128 },
    ...{ n_routed_experts: 512, zero_expert_num: 256, zero_expert_type: 'identity', moe_topk: 12 },
  },
  'google/gemma-4-E2B-it =google/gemma-4-E2B': {
    ...gemma(35, 1536, [8, 1], 5),
    ...{
      intermediate_size: 6144,
      num_kv_shared_layers: 20,
      use_double_wide_mlp: true,
      hidden_size_per_layer_input: 256,
    },
  },
  'google/gemma-4-E4B-it =google/gemma-4-E4B': {
    ...gemma(42, 2560, [8, 2], 6),
    ...{ intermediate_size: 10240, num_kv_shared_layers: 18, hidden_size_per_layer_input: 256 },
  },
  'google/gemma-4-26B-A4B-it =google/gemma-4-26B-A4B': {
    ...gemma(30, 2816, [16, 8], 6, 2),
    ...{
      intermediate_size: 2112,
      enable_moe_block: true,
      num_experts: 128,
      top_k_experts: 8,
      moe_intermediate_size: 704,
    },
  },
  'google/gemma-4-31B-it =google/gemma-4-31B': { ...gemma(60, 5376, [32, 16], 6, 4), intermediate_size: 21504 },
  'sarvamai/sarvam-105b': {
    ...{
      model_type: 'sarvam_mla',
      hidden_size: 4096,
      intermediate_size: 16384,
      num_hidden_layers: 32,
      vocab_size: 262144,
    },
    ...{ num_attention_heads: 64, max_position_embeddings: 131072, tie_word_embeddings: false },
    ...{ kv_lora_rank: 512, qk_rope_head_dim: 64, qk_nope_head_dim: 128, v_head_dim: 128 },
    ...{ num_experts: 128, num_experts_per_tok: 8, num_shared_experts: 1, moe_intermediate_size: 2048 },
    first_k_dense_replace: 1,
  },
  'skt/A.X-K2-Light': {
    ...{ model_type: 'axk2', hidden_size: 2048, intermediate_size: 5120, num_hidden_layers: 48, vocab_size: 163840 },
    ...{
      num_attention_heads: 32,
      num_key_value_heads: 32,
      max_position_embeddings: 131072,
      tie_word_embeddings: false,
    },
    ...{ q_lora_rank: 384, kv_lora_rank: 128, qk_rope_head_dim: 32, qk_nope_head_dim: 64, v_head_dim: 64 },
    ...{ n_routed_experts: 128, num_experts_per_tok: 8, n_shared_experts: 1, moe_intermediate_size: 512 },
    ...{ first_k_dense_replace: 1, index_n_heads: 16, index_head_dim: 128, index_topk: 2048, gated_norm_rank: 16 },
  },
}

function ling(layers: number, hidden: number, heads: number, mlp: number): Fields {
  return {
    ...{ model_type: 'bailing_hybrid', architectures: ['BailingMoeV3ForCausalLM'], vocab_size: 157184 },
    ...{ num_hidden_layers: layers, hidden_size: hidden, intermediate_size: mlp, max_position_embeddings: 262144 },
    ...{ num_attention_heads: heads, num_key_value_heads: heads, head_dim: 128, tie_word_embeddings: false },
    ...{ kv_lora_rank: 512, qk_rope_head_dim: 64, qk_nope_head_dim: 128, v_head_dim: 128 },
    ...{ num_experts_per_tok: 8, num_shared_experts: 1, moe_router_enable_expert_bias: true },
    ...{ short_conv_kernel_size: 4, no_kda_lora: true, kda_safe_gate: true },
    gated_attention_proj_granularity_type: 'head_wise',
  }
}

/** `heads`: of queries, of keys and values; `linear`: of keys, of values. */
function qwen(
  modelType: string,
  layers: number,
  hidden: number,
  heads: readonly number[],
  linear: readonly number[],
): Fields {
  return {
    ...{ model_type: modelType, num_hidden_layers: layers, hidden_size: hidden, vocab_size: 248320 },
    ...{ num_attention_heads: heads[0], num_key_value_heads: heads[1], head_dim: 256, attn_output_gate: true },
    ...{ linear_num_key_heads: linear[0], linear_num_value_heads: linear[1], linear_conv_kernel_dim: 4 },
    ...{ linear_key_head_dim: 128, linear_value_head_dim: 128, full_attention_interval: 4 },
    ...{ max_position_embeddings: 262144, tie_word_embeddings: false },
  }
}

function lfm2(hidden: number, mlp: number, heads: number): Fields {
  return {
    ...{ model_type: 'lfm2', hidden_size: hidden, num_hidden_layers: 16, vocab_size: 65536, tie_word_embeddings: true },
    ...{
      num_attention_heads: heads,
      num_key_value_heads: 8,
      max_position_embeddings: 128000,
      conv_L_cache: 3,
      conv_bias: false,
    },
    ...{ block_ff_dim: mlp, block_auto_adjust_ff_dim: true, block_ffn_dim_multiplier: 1, block_multiple_of: 256 },
    full_attn_idxs: [2, 5, 8, 10, 12, 14],
  }
}

/** `global`: heads of keys of layers without a window, whose keys are their values too; null: as the others. */
function gemma(layers: number, hidden: number, heads: readonly number[], pattern: number, global?: number): Fields {
  const types = Array.from({ length: layers }, (_, i) => ((i + 1) % pattern ? 'sliding_attention' : 'full_attention'))
  return {
    ...{ model_type: 'gemma4_text', num_hidden_layers: layers, hidden_size: hidden, vocab_size: 262144 },
    ...{ num_attention_heads: heads[0], num_key_value_heads: heads[1], head_dim: 256, global_head_dim: 512 },
    ...{ num_global_key_value_heads: global ?? null, attention_k_eq_v: global !== undefined, layer_types: types },
    ...{
      sliding_window: global === undefined ? 512 : 1024,
      max_position_embeddings: global === undefined ? 131072 : 262144,
    },
    ...{ vocab_size_per_layer_input: 262144, hidden_size_per_layer_input: 0, tie_word_embeddings: true },
  }
}
