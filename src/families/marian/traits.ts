/** What a config.json of the family leaves unsaid. */
import { ALL_BIASES, type FamilyTraits } from '../traits.ts'

export const marian: FamilyTraits = {
  modelTypes: ['marian'],
  norm: { kind: 'layer', final: false },
  bias: ALL_BIASES,
  gated: false,
  tiedEmbeddings: true,
  sides: {
    encoder: { layers: ['encoder_layers'], heads: 'encoder_attention_heads', mlp: 'encoder_ffn_dim' },
    decoder: { layers: ['decoder_layers'], heads: 'decoder_attention_heads', mlp: 'decoder_ffn_dim' },
    targetVocab: 'decoder_vocab_size',
    share: 'share_encoder_decoder_embeddings',
    logitsBias: true,
    // What older files say of Marian's own settings, and nobody reads.
    others: [
      'extra_pos_embeddings',
      'static_position_embeddings',
      'add_bias_logits',
      'encoder_layerdrop',
      'decoder_layerdrop',
    ],
  },
}
