/** Granite 3, dense: Llama with factors of embeddings, scores, what joins the stream, and logits. */

import { ATTENTION, MLP } from '../biases.ts'
import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { runnable } from '../runnable.ts'
import { granite as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const FACTOR = { min: 0, max: 1e6, exclusiveMin: true, default: 1 } as const

export const granite: Family = {
  traits: traits.granite,
  gguf,
  hubClass: 'GraniteForCausalLM',
  hubBiases: [
    { modules: ATTENTION, key: 'attention_bias' },
    { modules: MLP, key: 'mlp_bias' },
  ],
  names: { ...HUB_NAMES, attention: GROUPED },
  config(raw, model) {
    return runnable(raw, model, {
      ...groupedArithmetic(raw, { eps: 1e-6 }),
      embeddingScale: raw.number('embedding_multiplier', FACTOR),
      softmaxScale: raw.number('attention_multiplier', FACTOR),
      residualScale: raw.number('residual_multiplier', FACTOR),
      logitScale: 1 / raw.number('logits_scaling', FACTOR),
    })
  },
}
