/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const lfm2: FamilyTraits = { modelTypes: ['lfm2'], norm: { qk: true }, tiedEmbeddings: true }
