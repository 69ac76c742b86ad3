/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const gemma4: FamilyTraits = {
  modelTypes: ['gemma4_text'],
  norm: { perLayer: 4, qk: true },
  tiedEmbeddings: true,
  headDim: 256,
  kvHeads: 4,
  window: 512,
  windowPattern: 6,
}
