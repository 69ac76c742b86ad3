/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const mistral4: FamilyTraits = { modelTypes: ['mistral4'], selectionBias: false, sharedExperts: 1 }
