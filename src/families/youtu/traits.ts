/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const youtu: FamilyTraits = { modelTypes: ['youtu', 'youtu_llm'], tiedEmbeddings: true }
