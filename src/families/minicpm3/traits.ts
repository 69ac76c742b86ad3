/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const minicpm3: FamilyTraits = { modelTypes: ['minicpm3'], tiedEmbeddings: true }
