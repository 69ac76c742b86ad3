/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const ernie45: FamilyTraits = {
  modelTypes: ['ernie4_5'],
  headDim: 128,
  kvHeads: 2,
  tiedEmbeddings: true,
  oneBiasSwitch: false,
}
