/** Phi-3 and Phi-4 in llama.cpp's files. */
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { DECODER, JOINED_MLP } from '../gguf/naming.ts'

export const phi3: Architecture = {
  name: 'phi3',
  ropeDivisors: 'two',
  naming: {
    ...DECODER,
    inLayer: { ...DECODER.inLayer, ...JOINED_MLP, attn_qkv: 'self_attn.qkv_proj' },
  },
  warnings({ layers }) {
    const window = layers.find(layer => layer.window !== null)?.window
    if (!window) return []
    return [`llama.cpp leaves out the sliding window of phi3: beyond ${window} tokens it differs`]
  },
  config(model) {
    const base = groupedConfig(model)
    return {
      ...base,
      model_type: 'phi3',
      sliding_window: model.metadata.optionalInt('{arch}.attention.sliding_window') || null,
      partial_rotary_factor: base.partial_rotary_factor ?? 1,
    }
  },
}
