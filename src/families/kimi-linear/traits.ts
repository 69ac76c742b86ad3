/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const kimiLinear: FamilyTraits = {
  modelTypes: ['kimi_linear'],
  selectionBias: true,
  firstDense: 1,
  sharedExperts: 1,
}
