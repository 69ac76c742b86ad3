/** What config.json files of the family leave unsaid. */
import type { FamilyTraits } from '../traits.ts'

const DELTA = {
  ...{ num_attention_heads: 16, head_dim: 256, max_position_embeddings: 32_768, linear_conv_kernel_dim: 4 },
  ...{ linear_key_head_dim: 128, linear_value_head_dim: 128, linear_num_key_heads: 16, linear_num_value_heads: 32 },
}

export const qwen35: FamilyTraits = {
  modelTypes: ['qwen3_5_text'],
  inside: {
    ...DELTA,
    vocab_size: 248_320,
    hidden_size: 4096,
    intermediate_size: 12_288,
    num_hidden_layers: 32,
    num_key_value_heads: 4,
  },
  norm: { qk: true },
}

export const qwen35Moe: FamilyTraits = {
  modelTypes: ['qwen3_5_moe_text'],
  inside: {
    ...DELTA,
    vocab_size: 248_320,
    hidden_size: 2048,
    num_hidden_layers: 40,
    num_key_value_heads: 2,
    moe_intermediate_size: 512,
    shared_expert_intermediate_size: 512,
    num_experts_per_tok: 8,
    num_experts: 256,
  },
  norm: { qk: true },
  selectionBias: false,
  expertsEverywhere: true,
}

export const qwen3Next: FamilyTraits = { modelTypes: ['qwen3_next'], norm: { qk: true }, selectionBias: false }
