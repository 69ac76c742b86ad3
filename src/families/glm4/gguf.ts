/** GLM-4-0414 in llama.cpp's files. */
import { QKV } from '../biases.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { DECODER, JOINED_MLP } from '../gguf/naming.ts'

export const glm4: Architecture = {
  name: 'glm4',
  biases: [{ modules: QKV, single: true }],
  naming: {
    ...DECODER,
    inLayer: {
      ...DECODER.inLayer,
      ...JOINED_MLP,
      post_attention_norm: 'post_self_attn_layernorm',
      post_ffw_norm: 'post_mlp_layernorm',
    },
  },
  config(model) {
    const base = groupedConfig(model)
    return {
      ...base,
      model_type: 'glm4',
      partial_rotary_factor: base.partial_rotary_factor ?? 1,
      attention_bias: model.tensors.has('blk.0.attn_q.bias'),
    }
  },
}
