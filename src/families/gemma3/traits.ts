/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const gemma3: FamilyTraits = {
  modelTypes: ['gemma3_text'],
  inside: {
    vocab_size: 262_208,
    hidden_size: 2304,
    intermediate_size: 9216,
    num_hidden_layers: 26,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    head_dim: 256,
    max_position_embeddings: 131_072,
  },
  norm: { perLayer: 4, qk: true },
  tiedEmbeddings: true,
  window: 4096,
  windowPattern: 6,
}
