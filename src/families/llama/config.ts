/** Llama (arXiv 2302.13971, 2407.21783), SmolLM2, Mistral (arXiv 2310.06825), Qwen2 (2407.10671), Qwen3 (2505.09388). */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { ATTENTION, MLP, QKV } from '../biases.ts'
import type { ModelDescriptor } from '../descriptor.ts'
import type { Family, TensorNames } from '../family.ts'
import { GROUPED, HUB_NAMES } from '../names.ts'
import { readActivation, rmsEps } from '../read/common.ts'
import { readRope } from '../read/rope.ts'
import { type Arithmetic, runnable } from '../runnable.ts'
import * as gguf from './gguf.ts'
import * as traits from './traits.ts'

const NAMES: TensorNames = { ...HUB_NAMES, attention: GROUPED }

export const llama: Family = {
  traits: traits.llama,
  gguf: gguf.llama,
  hubClass: 'LlamaForCausalLM',
  hubBiases: [
    { modules: ATTENTION, key: 'attention_bias' },
    { modules: MLP, key: 'mlp_bias' },
  ],
  names: NAMES,
  config: (raw, model) => config(raw, model),
}

export const mistral: Family = {
  traits: traits.mistral,
  gguf: gguf.llama,
  hubClass: 'MistralForCausalLM',
  insideOf: ['mistral3'],
  names: NAMES,
  config: (raw, model) => config(raw, model, { windows: true }),
}

export const qwen2: Family = {
  traits: traits.qwen2,
  gguf: gguf.qwen2,
  hubClass: 'Qwen2ForCausalLM',
  hubBiases: [{ modules: QKV, always: true }],
  names: NAMES,
  config: (raw, model) => ({
    ...qwen(raw, model),
    // Its code leaves attention_bias and mlp_bias alone.
    bias: { qkv: true, attentionOut: false, mlp: false },
  }),
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
  config: (raw, model) => qwen(raw, model, { qkNorm: 'head' }),
}

function config(raw: ConfigReader, model: ModelDescriptor, own: Partial<Arithmetic> = {}): ModelConfig {
  const interleaved = raw.bool('rope_interleave', { default: false })
  return runnable(raw, model, {
    attention: 'grouped',
    eps: rmsEps(raw, 1e-6),
    activation: readActivation(raw, 'hidden_act', 'silu'),
    ropes: dim => [readRope(raw, { dim, interleaved })],
    ...own,
  })
}

/** A window that is switched on has to have a length; the descriptor takes none for none. */
function qwen(raw: ConfigReader, model: ModelDescriptor, own: Partial<Arithmetic> = {}): ModelConfig {
  if (raw.bool('use_sliding_window', { default: false })) raw.int('sliding_window', { min: 1 })
  raw.int('max_window_layers', { default: 28 })
  return config(raw, model, { windows: true, ...own })
}
