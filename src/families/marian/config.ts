/** Marian (arXiv 1804.00344), as the translators of OPUS-MT have it: the transformer of 2017 (1706.03762) with one embedding for all. */
import type { Family, TensorNames } from '../family.ts'
import { readActivation, SIZE } from '../read/common.ts'
import { encoderDecoder } from '../read/source.ts'
import * as traits from './traits.ts'

/** PyTorch's default, which config.json cannot change. */
const NORM_EPS = 1e-5

/** Names of one stack. */
function stack(side: 'encoder' | 'decoder'): TensorNames {
  return {
    prefixes: ['model.', ''],
    embedding: 'shared',
    ownEmbedding: `${side}.embed_tokens`,
    output: 'lm_head',
    ownOutput: true,
    layer: `${side}.layers.{layer}.`,
    attentionNorm: 'self_attn_layer_norm',
    attention: { qkv: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'], out: 'self_attn.out_proj' },
    mlpNorm: 'final_layer_norm',
    mlp: { up: 'fc1', down: 'fc2' },
    ...(side === 'decoder' && {
      outputBias: 'final_logits_bias',
      cross: {
        norm: 'encoder_attn_layer_norm',
        qkv: ['encoder_attn.q_proj', 'encoder_attn.k_proj', 'encoder_attn.v_proj'],
        out: 'encoder_attn.out_proj',
      },
    }),
    // Copies of the embedding, and positions, which are computed.
    ignored: [/(?:en|de)coder\.embed_(?:tokens|positions)\.weight$/],
  }
}

export const marian: Family = {
  traits: traits.marian,
  names: { ...stack('decoder'), source: stack('encoder') },
  config(raw, model) {
    const arithmetic = {
      attention: 'grouped',
      eps: NORM_EPS,
      activation: readActivation(raw, 'activation_function', 'gelu'),
      blockOrder: 'post',
      maxPositions: raw.int('max_position_embeddings', { min: 1, max: SIZE.max, default: 1024 }),
      embeddingScale: raw.bool('scale_embedding', { default: false }) ? Math.sqrt(model.hiddenSize) : 1,
    } as const
    return encoderDecoder(raw, model, arithmetic, { sinusoidalPositions: true })
  },
}
