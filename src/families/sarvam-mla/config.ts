/** Sarvam-105B: DeepSeek-V3 whose config.json has other names. Its `head_dim` and `q_head_dim` are no sizes of heads. */

import { deepseekConfig, deepseekV3 } from '../deepseek/config.ts'
import type { Family } from '../family.ts'
import * as traits from './traits.ts'

const { gguf, hubBiases, names } = deepseekV3

export const sarvamMla: Family = {
  traits: traits.sarvamMla,
  ...(gguf && { gguf }),
  ...(hubBiases && { hubBiases }),
  names,
  config(raw, model) {
    // As published, or as transformers 5 has it.
    const experts = raw.has('num_experts') ? 'num_experts' : 'n_routed_experts'
    return deepseekConfig(raw, model, { method: 'noaux_tc', experts, scale: 2.5 })
  },
}
