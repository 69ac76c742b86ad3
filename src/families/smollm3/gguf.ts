/** SmolLM3 in llama.cpp's files, which do not say which layers rotate: every fourth does not. */
import { ATTENTION, MLP } from '../biases.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { DECODER } from '../gguf/naming.ts'

export const smollm3: Architecture = {
  name: 'smollm3',
  interleaves: true,
  biases: [
    { modules: ATTENTION, single: true },
    { modules: MLP, single: true },
  ],
  naming: DECODER,
  config: model => ({
    ...groupedConfig(model),
    model_type: 'smollm3',
    no_rope_layer_interval: 4,
    rope_interleave: true,
  }),
}
