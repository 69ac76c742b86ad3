/** What a config.json of the family leaves unsaid. */
import { ALL_BIASES, type FamilyTraits } from '../traits.ts'

export const bert: FamilyTraits = {
  modelTypes: ['bert'],
  encoder: true,
  norm: { kind: 'layer', final: false },
  bias: ALL_BIASES,
  gated: false,
  learnedPositions: true,
  tiedEmbeddings: true,
}

export const roberta: FamilyTraits = { ...bert, modelTypes: ['roberta', 'xlm-roberta', 'camembert'] }
