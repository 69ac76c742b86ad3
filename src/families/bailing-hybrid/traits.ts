/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const bailingHybrid: FamilyTraits = { modelTypes: ['bailing_hybrid'], firstDense: 2, sharedExperts: 1 }
