/** Granite, dense, in llama.cpp's files. */
import { ATTENTION, MLP } from '../biases.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { DECODER } from '../gguf/naming.ts'

export const granite: Architecture = {
  name: 'granite',
  interleaves: true,
  ropeDivisors: 'one',
  biases: [
    { modules: ATTENTION, single: true },
    { modules: MLP, single: true },
  ],
  naming: DECODER,
  addKeys(keys, { embeddingScale, residualScale, logitScale, layers }) {
    const attention = layers[0]?.attention
    keys.f32('{arch}.embedding_scale', embeddingScale)
    keys.f32('{arch}.residual_scale', residualScale)
    // What logits are divided by.
    keys.f32('{arch}.logit_scale', 1 / logitScale)
    keys.f32('{arch}.attention.scale', attention?.kind === 'grouped' ? attention.softmaxScale : undefined)
  },
  config(model) {
    const { metadata: m } = model
    const base = groupedConfig(model)
    const dim =
      (base.head_dim as number | undefined) ?? (base.hidden_size as number) / (base.num_attention_heads as number)
    // llama.cpp takes 0 and nothing for the usual ones.
    return {
      ...base,
      model_type: 'granite',
      embedding_multiplier: m.optionalNumber('{arch}.embedding_scale') || 1,
      residual_multiplier: m.optionalNumber('{arch}.residual_scale') || 1,
      logits_scaling: m.number('{arch}.logit_scale'),
      attention_multiplier: m.optionalNumber('{arch}.attention.scale') || dim ** -0.5,
      rope_interleave: true,
    }
  },
}
