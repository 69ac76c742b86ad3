/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const deepseekV32: FamilyTraits = {
  modelTypes: ['deepseek_v32'],
  selectionBias: true,
  firstDense: 3,
  sharedExperts: 1,
}

export const glmMoeDsa: FamilyTraits = {
  modelTypes: ['glm_moe_dsa'],
  selectionBias: true,
  firstDense: 3,
  sharedExperts: 1,
}
