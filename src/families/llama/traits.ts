/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const llama: FamilyTraits = { modelTypes: ['llama'] }

export const mistral: FamilyTraits = {
  modelTypes: ['mistral'],
  inside: {
    vocab_size: 32_000,
    hidden_size: 4096,
    intermediate_size: 14_336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    max_position_embeddings: 131_072,
  },
  window: 4096,
}

export const qwen2: FamilyTraits = { modelTypes: ['qwen2'], bias: { qkv: true } }

export const qwen3: FamilyTraits = { modelTypes: ['qwen3'], norm: { qk: true }, headDim: 128 }
