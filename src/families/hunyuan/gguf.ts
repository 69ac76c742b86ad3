/** Hunyuan, dense, in llama.cpp's files. */
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { DECODER } from '../gguf/naming.ts'

export const hunyuanDense: Architecture = {
  name: 'hunyuan-dense',
  naming: {
    ...DECODER,
    inLayer: {
      ...DECODER.inLayer,
      attn_q_norm: 'self_attn.query_layernorm',
      attn_k_norm: 'self_attn.key_layernorm',
    },
  },
  config: model => ({ ...groupedConfig(model), model_type: 'hunyuan_v1_dense' }),
}
