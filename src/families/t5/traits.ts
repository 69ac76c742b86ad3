/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

const SIDES: NonNullable<FamilyTraits['sides']> = {
  headDim: 'd_kv',
  encoder: { layers: ['num_layers'], heads: 'num_heads', mlp: 'd_ff' },
  decoder: { layers: ['num_decoder_layers', 'num_layers'], heads: 'num_heads', mlp: 'd_ff' },
  gatedBy: 'feed_forward_proj',
  distances: 'relative_attention_num_buckets',
  positions: 512,
  others: ['relative_attention_max_distance', 'is_gated_act', 'dense_act_fn'],
}

export const t5: FamilyTraits = {
  modelTypes: ['t5'],
  gated: false,
  tiedEmbeddings: true,
  sides: { ...SIDES, tiedBy: 'scale_decoder_outputs' },
}

export const mt5: FamilyTraits = { modelTypes: ['mt5'], gated: true, tiedEmbeddings: true, sides: SIDES }
