/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const mistral4: FamilyTraits = {
  modelTypes: ['mistral4'],
  inside: {
    vocab_size: 131_072,
    hidden_size: 4096,
    intermediate_size: 12_288,
    moe_intermediate_size: 2048,
    num_hidden_layers: 36,
    num_attention_heads: 32,
    n_routed_experts: 128,
    kv_lora_rank: 256,
    q_lora_rank: 1024,
    qk_rope_head_dim: 64,
    v_head_dim: 128,
    qk_nope_head_dim: 64,
    num_experts_per_tok: 4,
    first_k_dense_replace: 0,
    norm_topk_prob: true,
    max_position_embeddings: 1_048_576,
  },
  selectionBias: false,
  sharedExperts: 1,
}
