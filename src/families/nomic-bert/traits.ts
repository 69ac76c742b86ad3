/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const nomicBert: FamilyTraits = {
  modelTypes: ['nomic_bert'],
  encoder: true,
  norm: { kind: 'layer', final: false },
  tiedEmbeddings: true,
}
