/** Mistral Small 4: MLA and experts as DeepSeek has them, softmax scores, and queries that grow with their position. */

import { UnsupportedModelError } from '../../errors.ts'
import { deepseekConfig, deepseekV3 } from '../deepseek/config.ts'
import type { Family } from '../family.ts'
import { readGrowth, withUsualRope } from '../read/rope.ts'
import { mistral4 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const { hubBiases, names } = deepseekV3

export const mistral4: Family = {
  traits: traits.mistral4,
  gguf,
  hubClass: 'Mistral4ForCausalLM',
  ...(hubBiases && { hubBiases }),
  names,
  config(file, model) {
    const raw = withUsualRope(file, YARN)
    const [attention] = model.layers.map(layer => layer.attention)
    const part = raw.optionalObject('rope_parameters')?.optionalNumber('partial_rotary_factor')
    if (part !== undefined && attention?.kind === 'latent') {
      const { qkRopeHeadDim: R, qkNopeHeadDim: N } = attention
      if (Math.abs(part - R / (N + R)) > 1e-3) {
        const expected = `${R} of ${N + R} numbers (qk_rope_head_dim)`
        throw new UnsupportedModelError(
          `${raw.file}: a partial_rotary_factor of ${part} beside ${expected} is not supported.`,
        )
      }
    }
    const queryGrowth = readGrowth(raw)
    return deepseekConfig(raw, model, {
      method: 'noaux_tc',
      scoring: 'softmax',
      partial: true,
      ...(queryGrowth && { queryGrowth }),
    })
  },
}

/** Where a file says nothing of its rope. */
const YARN = {
  ...{ rope_type: 'yarn', rope_theta: 10_000, factor: 128, original_max_position_embeddings: 8192 },
  ...{ beta_fast: 32, beta_slow: 1, mscale: 1, mscale_all_dim: 1, llama_4_scaling_beta: 0.1 },
}
