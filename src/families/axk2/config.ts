/** A.X-K2: DeepSeek-V3.2 with gates on norms and heads. */

import { deepseekConfig } from '../deepseek/config.ts'
import { deepseekV32, sparse } from '../deepseek-v32/config.ts'
import type { Family } from '../family.ts'
import { SIZE } from '../read/common.ts'
import * as traits from './traits.ts'

const { hubBiases, names } = deepseekV32
/** By the descriptor's names. */
const OWN = ['q from the raw latent', 'attention gate', 'norm gate down', 'norm gate up']

export const axk2: Family = {
  traits: traits.axk2,
  hubClass: 'AXK2ForCausalLM',
  ...(hubBiases && { hubBiases }),
  names: { ...names, gatedNorm: { norm: 'norm', down: 'W_down', up: 'W_up' } },
  config(raw, model) {
    const own = { gated: true, zeroLosers: true, scale: 2.5, own: OWN }
    const config = deepseekConfig(raw, model, { ...sparse(raw, false), ...own })
    return { ...config, gatedNormRank: raw.int('gated_norm_rank', SIZE) }
  },
}
