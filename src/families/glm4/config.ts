/** GLM-4-0414 (9B, 32B, Z1): norms before and behind each part, half of each head rotated, gate and up in one matrix. */

import { QKV } from '../biases.ts'
import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES, JOINED_MLP } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { runnable } from '../runnable.ts'
import { glm4 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

export const glm4: Family = {
  traits: traits.glm4,
  gguf,
  hubClass: 'Glm4ForCausalLM',
  hubBiases: [{ modules: QKV, key: 'attention_bias' }],
  names: {
    ...HUB_NAMES,
    attention: GROUPED,
    mlp: JOINED_MLP,
    attentionOutNorm: 'post_self_attn_layernorm',
    mlpOutNorm: 'post_mlp_layernorm',
    neighbours: true,
  },
  config(raw, model) {
    return runnable(raw, model, {
      ...groupedArithmetic(raw, { eps: 1.5625e-7, interleaved: true, rotary: 0.5 }),
      blockOrder: 'sandwich',
    })
  },
}
