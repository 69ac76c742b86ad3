/** OLMo 2 (arXiv 2501.00656): norms only behind attention and MLP, and one over all heads of q and of k. */

import { ATTENTION } from '../biases.ts'
import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { runnable } from '../runnable.ts'
import { olmo2 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

export const olmo2: Family = {
  traits: traits.olmo2,
  gguf,
  hubClass: 'Olmo2ForCausalLM',
  hubBiases: [{ modules: ATTENTION, key: 'attention_bias' }],
  names: {
    ...HUB_NAMES,
    attention: { ...GROUPED, queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
    attentionNorm: 'post_attention_layernorm',
    mlpNorm: 'post_feedforward_layernorm',
  },
  config(raw, model) {
    return runnable(raw, model, {
      ...groupedArithmetic(raw, { eps: 1e-5 }),
      blockOrder: 'after',
      qkNorm: 'wide',
    })
  },
}
