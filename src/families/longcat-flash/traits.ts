/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const longcatFlash: FamilyTraits = { modelTypes: ['longcat_flash'], selectionBias: true }
