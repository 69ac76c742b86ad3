/** Ministral 3 (3B, 8B, 14B) and Devstral Small 2: Llama under YaRN, whose queries grow with their position. */

import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { readGrowth, withUsualRope } from '../read/rope.ts'
import { runnable } from '../runnable.ts'
import { mistral3 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

export const ministral3: Family = {
  traits: traits.ministral3,
  gguf,
  hubClass: 'Ministral3ForCausalLM',
  names: { ...HUB_NAMES, attention: GROUPED },
  config(file, model) {
    const raw = withUsualRope(file, YARN)
    const queryGrowth = readGrowth(raw)
    return {
      ...runnable(raw, model, {
        ...groupedArithmetic(raw, { eps: 1e-5, theta: 1_000_000 }),
        windows: true,
        ...(queryGrowth && { queryGrowth }),
      }),
      // Its code has no biases, whatever attention_bias says.
      bias: { qkv: false, attentionOut: false, mlp: false },
    }
  },
}

/** Where a file says nothing of its rope. */
const YARN = {
  ...{ rope_type: 'yarn', rope_theta: 1_000_000, factor: 16, original_max_position_embeddings: 16_384 },
  ...{ beta_fast: 32, beta_slow: 1, mscale: 1, mscale_all_dim: 1, llama_4_scaling_beta: 0.1 },
}
