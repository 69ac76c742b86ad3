/** What a config.json of the family leaves unsaid. */
import { ALL_BIASES, type FamilyTraits } from '../traits.ts'

export const gpt2: FamilyTraits = {
  modelTypes: ['gpt2'],
  norm: { kind: 'layer' },
  bias: ALL_BIASES,
  gated: false,
  learnedPositions: true,
  tiedEmbeddings: true,
}

export const gpt: FamilyTraits = { ...gpt2, modelTypes: ['openai-gpt'], norm: { kind: 'layer', final: false } }
