/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const gemma3: FamilyTraits = {
  modelTypes: ['gemma3_text'],
  norm: { perLayer: 4, qk: true },
  tiedEmbeddings: true,
  window: 4096,
  windowPattern: 6,
}
