/** OLMo 2 in llama.cpp's files. */
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { DECODER } from '../gguf/naming.ts'

const { attn_norm: _, ffn_norm: __, ...IN_LAYER } = DECODER.inLayer

export const olmo2: Architecture = {
  name: 'olmo2',
  naming: {
    ...DECODER,
    inLayer: {
      ...IN_LAYER,
      post_attention_norm: 'post_attention_layernorm',
      post_ffw_norm: 'post_feedforward_layernorm',
    },
  },
  warnings({ tiedEmbeddings }) {
    return tiedEmbeddings ? ['llama.cpp will not load this file: of olmo2 it expects an output.weight of its own'] : []
  },
  config: model => ({ ...groupedConfig(model), model_type: 'olmo2' }),
}
