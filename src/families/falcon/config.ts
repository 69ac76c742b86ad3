/** Falcon-7B and its like (arXiv 2311.16867): one key-value head, attention and MLP side by side behind one norm. */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { ALL } from '../biases.ts'
import type { Family } from '../family.ts'
import { EPS, evenDim, HEADS, headDim, LAYERS, readActivation, readTokens, SIZE, sameLayers } from '../read/common.ts'
import { readRope } from '../read/rope.ts'
import { falcon as gguf } from './gguf.ts'
import * as traits from './traits.ts'

export const falcon: Family = {
  traits: traits.falcon,
  gguf,
  hubClass: 'FalconForCausalLM',
  hubBiases: [{ modules: ALL, key: 'bias' }],
  names: {
    prefixes: ['transformer.', ''],
    embedding: 'word_embeddings',
    finalNorm: 'ln_f',
    output: 'lm_head',
    layer: 'h.{layer}.',
    attentionNorm: 'input_layernorm',
    attention: { qkv: ['self_attention.query_key_value'], out: 'self_attention.dense' },
    mlp: { up: 'mlp.dense_h_to_4h', down: 'mlp.dense_4h_to_h' },
  },
  config(raw) {
    refuseOtherFalcons(raw)
    const hiddenSize = raw.int('hidden_size', SIZE)
    const nHeads = raw.optionalInt('num_attention_heads', HEADS) ?? raw.int('n_head', HEADS)
    const d = evenDim(raw, 'head_dim', headDim(raw, hiddenSize, nHeads))
    const bias = raw.bool('bias', { default: false })
    const nLayers = raw.optionalInt('num_hidden_layers', LAYERS) ?? raw.int('n_layer', LAYERS)
    return {
      modelType: raw.string('model_type'),
      vocabSize: raw.int('vocab_size', SIZE),
      hiddenSize,
      nLayers,
      maxPositions: raw.int('max_position_embeddings', { min: 1, max: 1 << 28, default: 2048 }),
      ropes: [readRope(raw, { dim: d, interleaved: false })],
      layers: sameLayers(nLayers, {
        attention: { kind: 'grouped', nHeads, nKvHeads: 1, headDim: d, softmaxScale: d ** -0.5, qkNormEps: null },
        mlp: {
          kind: 'dense',
          size: raw.int('ffn_hidden_size', { ...SIZE, default: 4 * hiddenSize }),
          activation: readActivation(raw, 'activation', 'gelu'),
          gated: false,
        },
      }),
      blockOrder: 'parallel',
      norm: { kind: 'layer', eps: raw.number('layer_norm_epsilon', { ...EPS, default: 1e-5 }) },
      embeddingScale: 1,
      residualScale: 1,
      logitScale: 1,
      learnedPositions: false,
      finalNorm: true,
      bias: { qkv: bias, attentionOut: bias, mlp: bias },
      tiedEmbeddings: raw.bool('tie_word_embeddings', { default: true }),
      ...readTokens(raw),
    }
  },
}

/** Three architectures share the name; only the one of 7B is run. */
function refuseOtherFalcons(raw: ConfigReader): void {
  const refuse = (what: string) => {
    throw new UnsupportedModelError(
      `${raw.file}: this Falcon has ${what}; latentkit runs the ones like Falcon-7B (multi_query, parallel_attn, rope).`,
    )
  }
  if (raw.bool('alibi', { default: false })) refuse('alibi positions')
  if (raw.bool('new_decoder_architecture', { default: false })) refuse('the new decoder architecture')
  if (!raw.bool('multi_query', { default: true })) refuse('no multi-query attention')
  if (!raw.bool('parallel_attn', { default: true })) refuse('attention and MLP one after the other')
}
