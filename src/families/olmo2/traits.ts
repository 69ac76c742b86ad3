/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const olmo2: FamilyTraits = { modelTypes: ['olmo2'] }
