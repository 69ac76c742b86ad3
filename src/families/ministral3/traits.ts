/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const ministral3: FamilyTraits = {
  modelTypes: ['ministral3'],
  inside: {
    vocab_size: 131_072,
    hidden_size: 4096,
    intermediate_size: 14_336,
    num_hidden_layers: 34,
    num_attention_heads: 32,
    max_position_embeddings: 262_144,
  },
  headDim: 128,
  kvHeads: 8,
}
