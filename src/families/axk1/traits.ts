/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const axk1: FamilyTraits = { modelTypes: ['axk1'], selectionBias: false, firstDense: 1, sharedExperts: 1 }
