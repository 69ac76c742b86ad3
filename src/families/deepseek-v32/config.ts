/** DeepSeek-V3.2 (arXiv 2512.02556): V3 whose queries choose their keys. GLM-5 (arXiv 2602.15763): the same, and layers may share a choice. */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { type DeepseekDefaults, deepseekConfig, deepseekV3 } from '../deepseek/config.ts'
import type { Family } from '../family.ts'
import { INDEXER, LATENT } from '../names.ts'
import { deepseek32, glmDsa } from './gguf.ts'
import * as traits from './traits.ts'

const { hubBiases, names } = deepseekV3
const NAMES = { ...names, attention: { ...LATENT, indexer: INDEXER } }

export const deepseekV32: Family = {
  traits: traits.deepseekV32,
  gguf: deepseek32,
  hubClass: 'DeepseekV32ForCausalLM',
  ...(hubBiases && { hubBiases }),
  names: NAMES,
  config: (raw, model) => deepseekConfig(raw, model, { ...sparse(raw, false), groups: 8, topkGroups: 4, scale: 2.5 }),
}

export const glmMoeDsa: Family = {
  traits: traits.glmMoeDsa,
  gguf: glmDsa,
  hubClass: 'GlmMoeDsaForCausalLM',
  ...(hubBiases && { hubBiases }),
  names: NAMES,
  config: (raw, model) => deepseekConfig(raw, model, { ...sparse(raw, true), scale: 2.5, eps: 1e-5 }),
}

/** `interleaved`: how the family's code rotates the indexer's heads. */
export function sparse(raw: ConfigReader, interleaved: boolean): DeepseekDefaults {
  raw.int('index_topk', { min: 1 })
  return {
    method: 'noaux_tc',
    indexer: { interleaved: raw.bool('indexer_rope_interleave', { default: interleaved }) },
  }
}
