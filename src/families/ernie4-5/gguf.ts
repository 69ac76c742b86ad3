/** ERNIE 4.5, dense, in llama.cpp's files. */
import { QKV } from '../biases.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { DECODER } from '../gguf/naming.ts'

export const ernie45: Architecture = {
  name: 'ernie4_5',
  biases: [{ modules: QKV, single: true }],
  naming: DECODER,
  config(model) {
    const { attention_bias: use_bias, mlp_bias: _, ...base } = groupedConfig(model)
    return { ...base, model_type: 'ernie4_5', use_bias }
  },
}
