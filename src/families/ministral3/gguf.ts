/** Ministral 3 in llama.cpp's files. */
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { addGrowthKeys, grownRope } from '../gguf/growth.ts'
import { DECODER } from '../gguf/naming.ts'

export const mistral3: Architecture = {
  name: 'mistral3',
  interleaves: true,
  naming: DECODER,
  addKeys: addGrowthKeys,
  config: model => ({
    ...grownRope(groupedConfig(model), model.metadata),
    model_type: 'ministral3',
    rope_interleave: true,
  }),
}
