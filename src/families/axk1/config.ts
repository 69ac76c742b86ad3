/** A.X-K1: DeepSeek-V3 with a norm on what a layer's experts return. */

import { deepseekConfig, deepseekV3 } from '../deepseek/config.ts'
import type { Family } from '../family.ts'
import * as traits from './traits.ts'

const { hubBiases, names } = deepseekV3

export const axk1: Family = {
  traits: traits.axk1,
  hubClass: 'AXK1ForCausalLM',
  ...(hubBiases && { hubBiases }),
  names: {
    ...names,
    ...(names.moe && { moe: { ...names.moe, outNorm: 'post_mlp_layernorm', biasAtWill: true } }),
    // Dense layers have it in the files, and do not use it.
    ignored: [...(names.ignored ?? []), /\.post_mlp_layernorm\.weight$/],
  },
  config(raw, model) {
    const defaults = { groups: 8, topkGroups: 4, scale: 2.5 }
    return deepseekConfig(raw, model, { method: 'noaux_tc', ...defaults, own: ['norm of experts'] })
  },
}
