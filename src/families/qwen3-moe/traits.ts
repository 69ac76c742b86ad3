/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const qwen3Moe: FamilyTraits = {
  modelTypes: ['qwen3_moe'],
  norm: { qk: true },
  kvHeads: 4,
  window: 4096,
  selectionBias: false,
}
