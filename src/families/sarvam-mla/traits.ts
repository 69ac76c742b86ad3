/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const sarvamMla: FamilyTraits = {
  modelTypes: ['sarvam_mla'],
  selectionBias: true,
  firstDense: 1,
  sharedExperts: 1,
}
