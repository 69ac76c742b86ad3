/** Gemma 3, text. */
import type { Architecture } from './architecture.ts'
import { groupedConfig, headCount } from './common.ts'
import { DECODER } from './naming.ts'

/** The 27B model divides by what the heads would have of the stream, all others by the root of the head's size. */
const LAYERS_OF_27B = 62
/** Every sixth layer sees all keys. */
const PATTERN = 6

export const gemma3: Architecture = {
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
      // Files without a window have none of the local layers.
      ...(m.has('{arch}.attention.sliding_window')
        ? { sliding_window: m.int('{arch}.attention.sliding_window'), sliding_window_pattern: pattern(model) }
        : { sliding_window_pattern: 1 }),
      rope_local_base_freq: m.optionalNumber('{arch}.rope.freq_base_swa') ?? 10_000,
    }
  },
}

/** A period; llama.cpp also knows a flag per layer, which this family's models do not use. */
function pattern({ metadata: m }: Parameters<Architecture['config']>[0]): number {
  const key = '{arch}.attention.sliding_window_pattern'
  return typeof m.raw(key) === 'object'
    ? m.fail(key, 'a number of layers')
    : (m.optionalInt(key, { min: 1 }) ?? PATTERN)
}
