/** Llama (arXiv 2302.13971, 2407.21783), SmolLM2, Mistral (arXiv 2310.06825), Qwen2 (2407.10671), Qwen3 (2505.09388). */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { LayerConfig, ModelConfig } from '../../nn/config.ts'
import { ATTENTION, MLP, QKV } from '../biases.ts'
import type { Family, TensorNames } from '../family.ts'
import { GROUPED, HUB_NAMES } from '../names.ts'
import { decoderConfig, evenDim, headDim, readHeads, readMlp, sameLayers } from '../read/common.ts'
import { readRope } from '../read/rope.ts'
import * as gguf from './gguf.ts'
import * as traits from './traits.ts'

const NAMES: TensorNames = { ...HUB_NAMES, attention: GROUPED }
const WINDOW = { min: 1, max: 1 << 28 } as const

export const llama: Family = {
  traits: traits.llama,
  gguf: gguf.llama,
  hubClass: 'LlamaForCausalLM',
  hubBiases: [
    { modules: ATTENTION, key: 'attention_bias' },
    { modules: MLP, key: 'mlp_bias' },
  ],
  names: NAMES,
  config: raw => config(raw, { eps: 1e-6 }),
}

export const mistral: Family = {
  traits: traits.mistral,
  gguf: gguf.llama,
  hubClass: 'MistralForCausalLM',
  names: NAMES,
  config(raw) {
    // An absent window means Mistral's first one; null means none.
    const first = raw.keys().includes('sliding_window') ? null : 4096
    const window = raw.optionalInt('sliding_window', WINDOW) ?? first
    const c = config(raw, { eps: 1e-6 })
    return { ...c, layers: c.layers.map(layer => ({ ...layer, window })) }
  },
}

export const qwen2: Family = {
  traits: traits.qwen2,
  gguf: gguf.qwen2,
  hubClass: 'Qwen2ForCausalLM',
  hubBiases: [{ modules: QKV, always: true }],
  names: NAMES,
  config(raw) {
    const c = config(raw, { eps: 1e-6, theta: 10_000 })
    return { ...c, layers: qwenLayers(raw, c.layers), bias: { qkv: true, attentionOut: false, mlp: false } }
  },
}

export const qwen3: Family = {
  traits: traits.qwen3,
  gguf: gguf.qwen3,
  hubClass: 'Qwen3ForCausalLM',
  hubBiases: [{ modules: ATTENTION, key: 'attention_bias' }],
  names: {
    ...NAMES,
    attention: { ...GROUPED, queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
  },
  config(raw) {
    const c = config(raw, { eps: 1e-6, headDim: 128, qkNorm: true })
    return { ...c, layers: qwenLayers(raw, c.layers) }
  },
}

function config(
  raw: ConfigReader,
  defaults: { readonly eps: number; readonly theta?: number; readonly headDim?: number; readonly qkNorm?: boolean },
) {
  const base = decoderConfig(raw, { tied: false, eps: defaults.eps })
  const { nHeads, nKvHeads } = readHeads(raw)
  const d = evenDim(
    raw,
    'head_dim',
    raw.optionalInt('head_dim') ?? defaults.headDim ?? headDim(raw, base.hiddenSize, nHeads),
  )
  const rope = readRope(raw, {
    dim: d,
    interleaved: raw.bool('rope_interleave', { default: false }),
    ...(defaults.theta && { theta: defaults.theta }),
  })
  return {
    ...base,
    ropes: [rope],
    layers: sameLayers(base.nLayers, {
      attention: {
        kind: 'grouped',
        nHeads,
        nKvHeads,
        headDim: d,
        softmaxScale: d ** -0.5,
        qkNormEps: defaults.qkNorm ? base.norm.eps : null,
      },
      mlp: readMlp(raw),
    }),
  } satisfies ModelConfig
}

/** Qwen's window, where it is used at all, begins at layer `max_window_layers`, or is told layer by layer. */
function qwenLayers(raw: ConfigReader, layers: readonly LayerConfig[]): LayerConfig[] {
  const window = raw.bool('use_sliding_window', { default: false }) ? raw.int('sliding_window', WINDOW) : null
  const from = raw.int('max_window_layers', { default: 28 })
  const types = window === null ? undefined : raw.optionalStrings('layer_types', { length: layers.length })
  return layers.map((layer, i) => {
    const sliding = types ? types[i] === 'sliding_attention' : i >= from
    return { ...layer, window: sliding ? window : null }
  })
}
