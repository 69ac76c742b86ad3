/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const phi3: FamilyTraits = { modelTypes: ['phi3'] }
