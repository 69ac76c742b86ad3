/** Gemma 3, text. */

import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig, headCount } from '../gguf/common.ts'
import { DECODER } from '../gguf/naming.ts'

/** The 27B model divides by what the heads would have of the stream, all others by the root of the head's size. */
const LAYERS_OF_27B = 62
/** Every sixth layer sees all keys; llama.cpp assumes it. */
const PATTERN = 6

export const gemma3: Architecture = {
  name: 'gemma3',
  /** Where it is another than llama.cpp assumes. */
  addKeys(keys, { layers }) {
    const local = layers.map(layer => layer.window !== null)
    const assumed = local.every((is, i) => is === ((i + 1) % PATTERN !== 0))
    if (local.some(Boolean) && !assumed) keys.bools('{arch}.attention.sliding_window_pattern', local)
  },
  naming: {
    ...DECODER,
    inLayer: {
      ...DECODER.inLayer,
      post_attention_norm: 'post_attention_layernorm',
      ffn_norm: 'pre_feedforward_layernorm',
      post_ffw_norm: 'post_feedforward_layernorm',
    },
  },
  config(model) {
    const { metadata: m } = model
    const base = groupedConfig(model)
    const layers = m.int('{arch}.block_count')
    const headDim = m.int('{arch}.attention.key_length')
    return {
      ...base,
      model_type: 'gemma3_text',
      hidden_activation: 'gelu_pytorch_tanh',
      query_pre_attn_scalar: layers === LAYERS_OF_27B ? m.int('{arch}.embedding_length') / headCount(m) : headDim,
      ...windows(m, layers),
      rope_local_base_freq: m.optionalNumber('{arch}.rope.freq_base_swa') ?? 10_000,
    }
  },
}

/** Files without a window have global layers only; the pattern is a period, or a flag for every layer. */
function windows(m: Metadata, layers: number): JsonObject {
  if (!m.has('{arch}.attention.sliding_window')) return { sliding_window_pattern: 1 }
  const key = '{arch}.attention.sliding_window_pattern'
  const flags = typeof m.raw(key) === 'object' ? m.optionalInts(key, { length: layers, max: 1 }) : undefined
  return {
    sliding_window: m.int('{arch}.attention.sliding_window'),
    ...(flags
      ? { layer_types: flags.map(local => (local ? 'sliding_attention' : 'full_attention')) }
      : { sliding_window_pattern: m.optionalInt(key, { min: 1 }) ?? PATTERN }),
  }
}
