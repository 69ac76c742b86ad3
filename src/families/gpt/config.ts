/** GPT (2018, norms after each part) and GPT-2 (2019, before): learned positions, LayerNorm, biases everywhere. */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Activation } from '../../kernels/contract/operations.ts'
import type { BlockOrder, ModelConfig } from '../../nn/config.ts'
import { ALL } from '../biases.ts'
import type { Family, TensorNames } from '../family.ts'
import { EPS, HEADS, LAYERS, readActivation, readTokens, SIZE, sameLayers } from '../read/common.ts'
import { gpt2 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const NAMES: Omit<TensorNames, 'embedding' | 'positions'> = {
  prefixes: ['transformer.', ''],
  output: 'lm_head',
  layer: 'h.{layer}.',
  attentionNorm: 'ln_1',
  mlpNorm: 'ln_2',
  attention: { qkv: ['attn.c_attn'], out: 'attn.c_proj' },
  mlp: { up: 'mlp.c_fc', down: 'mlp.c_proj' },
  transposed: true,
  // Old copies carry the causal mask.
  ignored: [/\.attn\.(masked_)?bias$/],
}

export const gpt2: Family = {
  traits: traits.gpt2,
  gguf,
  hubClass: 'GPT2LMHeadModel',
  hubBiases: [{ modules: ALL, always: true }],
  names: { ...NAMES, embedding: 'wte', positions: 'wpe', finalNorm: 'ln_f' },
  config(raw) {
    if (raw.bool('scale_attn_by_inverse_layer_idx', { default: false })) {
      throw new UnsupportedModelError(`${raw.file}: "scale_attn_by_inverse_layer_idx" is not supported.`)
    }
    const scaled = raw.bool('scale_attn_weights', { default: true })
    return config(raw, 'pre', readActivation(raw, 'activation_function', 'gelu_new'), scaled)
  },
}

/** GPT's own table calls the tanh approximation plain gelu. */
const GPT_ACTIVATIONS: Readonly<Record<string, Activation>> = {
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu_tanh',
}

export const gpt: Family = {
  traits: traits.gpt,
  hubBiases: [{ modules: ALL, always: true }],
  names: { ...NAMES, embedding: 'tokens_embed', positions: 'positions_embed' },
  config(raw) {
    const afn = raw.oneOf('afn', Object.keys(GPT_ACTIVATIONS), { default: 'gelu' })
    return { ...config(raw, 'post', GPT_ACTIVATIONS[afn] as Activation, true), finalNorm: false }
  },
}

function config(raw: ConfigReader, blockOrder: BlockOrder, activation: Activation, scaled: boolean): ModelConfig {
  const hiddenSize = raw.int('n_embd', SIZE)
  const nHeads = raw.int('n_head', HEADS)
  if (hiddenSize % nHeads !== 0) raw.fail('n_head', `a divisor of n_embd, which is ${hiddenSize}`)
  const headDim = hiddenSize / nHeads
  const nLayers = raw.int('n_layer', LAYERS)
  return {
    modelType: raw.string('model_type'),
    vocabSize: raw.int('vocab_size', SIZE),
    hiddenSize,
    nLayers,
    maxPositions: raw.int('n_positions', { min: 1, max: 1 << 24 }),
    ropes: [],
    layers: sameLayers(nLayers, {
      attention: {
        kind: 'grouped',
        nHeads,
        nKvHeads: nHeads,
        headDim,
        softmaxScale: scaled ? headDim ** -0.5 : 1,
        qkNormEps: null,
      },
      rope: null,
      mlp: {
        kind: 'dense',
        size: raw.int('n_inner', { ...SIZE, default: 4 * hiddenSize }),
        activation,
        gated: false,
      },
    }),
    blockOrder,
    norm: { kind: 'layer', eps: raw.number('layer_norm_epsilon', { ...EPS, default: 1e-5 }) },
    embeddingScale: 1,
    residualScale: 1,
    logitScale: 1,
    learnedPositions: true,
    finalNorm: true,
    bias: { qkv: true, attentionOut: true, mlp: true },
    tiedEmbeddings: raw.bool('tie_word_embeddings', { default: true }),
    ...readTokens(raw),
  }
}
