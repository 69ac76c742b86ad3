/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const glm4: FamilyTraits = {
  modelTypes: ['glm4'],
  norm: { perLayer: 4 },
  headDim: 128,
  kvHeads: 2,
  attentionBias: true,
  plainOutput: true,
}
