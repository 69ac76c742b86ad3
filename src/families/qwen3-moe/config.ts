/** Qwen3's mixtures of experts (arXiv 2505.09388): softmax scores, no shared expert. */

import { ATTENTION } from '../biases.ts'
import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES, ROUTED } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { softmaxRouting } from '../read/softmax-routing.ts'
import { runnable } from '../runnable.ts'
import { qwen3Moe as gguf } from './gguf.ts'
import * as traits from './traits.ts'

export const qwen3Moe: Family = {
  traits: traits.qwen3Moe,
  gguf,
  hubClass: 'Qwen3MoeForCausalLM',
  hubBiases: [{ modules: ATTENTION, key: 'attention_bias' }],
  names: {
    ...HUB_NAMES,
    attention: { ...GROUPED, queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
    moe: ROUTED,
  },
  config(raw, model) {
    return runnable(raw, model, {
      ...groupedArithmetic(raw, { eps: 1e-6 }),
      qkNorm: 'head',
      windows: true,
      routing: softmaxRouting(raw, false),
    })
  },
}
