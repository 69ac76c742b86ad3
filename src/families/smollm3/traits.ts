/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const smollm3: FamilyTraits = { modelTypes: ['smollm3'], kvHeads: 4, tiedEmbeddings: true }
