/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const ministral3: FamilyTraits = { modelTypes: ['ministral3'], headDim: 128, kvHeads: 8 }
