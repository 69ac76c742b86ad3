/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const falcon: FamilyTraits = {
  modelTypes: ['falcon', 'RefinedWebModel'],
  norm: { kind: 'layer', perLayer: 1 },
  gated: false,
  tiedEmbeddings: true,
}
