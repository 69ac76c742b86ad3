/** GPT (2018, norms after each part) and GPT-2 (2019, before): learned positions, LayerNorm, biases everywhere. */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { Activation } from '../../kernels/contract/operation-options.ts'
import { attentionOf, type LayerConfig, type ModelConfig } from '../../nn/config.ts'
import { ALL } from '../biases.ts'
import type { Family, TensorNames } from '../family.ts'
import { layerNormEps, readActivation } from '../read/common.ts'
import { type Arithmetic, runnable } from '../runnable.ts'
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
  config(raw, model) {
    const scaled = raw.bool('scale_attn_weights', { default: true })
    const config = runnable(raw, model, {
      ...arithmetic(raw),
      activation: readActivation(raw, 'activation_function', 'gelu_new'),
      ...(!scaled && { softmaxScale: 1 }),
    })
    return raw.bool('scale_attn_by_inverse_layer_idx', { default: false }) ? scaledByLayer(config) : config
  },
}

/** Scores of layer i, counted from 0, are divided by i + 1 as well. */
function scaledByLayer(config: ModelConfig): ModelConfig {
  const layers = config.layers.map((layer, i): LayerConfig => {
    const attention = attentionOf(layer)
    return { ...layer, attention: { ...attention, softmaxScale: attention.softmaxScale / (i + 1) } }
  })
  return { ...config, layers }
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
  config(raw, model) {
    const afn = raw.oneOf('afn', Object.keys(GPT_ACTIVATIONS), { default: 'gelu' })
    const activation = GPT_ACTIVATIONS[afn] as Activation
    return runnable(raw, model, { ...arithmetic(raw), activation, blockOrder: 'post' })
  },
}

function arithmetic(raw: ConfigReader): Omit<Arithmetic, 'activation'> {
  const maxPositions = raw.int('n_positions', { min: 1, max: 1 << 24 })
  return { attention: 'grouped', eps: layerNormEps(raw), maxPositions }
}
