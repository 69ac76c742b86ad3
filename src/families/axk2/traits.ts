/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const axk2: FamilyTraits = { modelTypes: ['axk2'], selectionBias: true, firstDense: 1, sharedExperts: 1 }
