/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const gemma4: FamilyTraits = {
  modelTypes: ['gemma4_text'],
  inside: {
    vocab_size: 262_144,
    hidden_size: 2304,
    intermediate_size: 9216,
    num_hidden_layers: 30,
    num_attention_heads: 8,
    max_position_embeddings: 131_072,
    hidden_size_per_layer_input: 256,
    vocab_size_per_layer_input: 262_144,
  },
  norm: { perLayer: 4, qk: true },
  tiedEmbeddings: true,
  headDim: 256,
  kvHeads: 4,
  window: 512,
  windowPattern: 6,
}
