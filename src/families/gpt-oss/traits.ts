/** What a config.json of the family leaves unsaid. */
import type { FamilyTraits } from '../traits.ts'

export const gptOss: FamilyTraits = {
  modelTypes: ['gpt_oss'],
  bias: { mlp: true, router: true },
  attentionBias: true,
  sinks: true,
  headDim: 64,
  kvHeads: 8,
  window: 128,
  windowPattern: 2,
}
