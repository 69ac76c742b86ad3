/** What config.json files of the family leave unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const qwen35: FamilyTraits = { modelTypes: ['qwen3_5_text'], norm: { qk: true } }

export const qwen35Moe: FamilyTraits = {
  modelTypes: ['qwen3_5_moe_text'],
  norm: { qk: true },
  selectionBias: false,
  expertsEverywhere: true,
}

export const qwen3Next: FamilyTraits = { modelTypes: ['qwen3_next'], norm: { qk: true }, selectionBias: false }
