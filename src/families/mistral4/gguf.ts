/** Mistral Small 4 in llama.cpp's files: deepseek2's layout with a name of its own. */
import { deepseek2 } from '../deepseek/gguf.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { addGrowthKeys, grownRope } from '../gguf/growth.ts'

const { naming, config, addKeys } = deepseek2

export const mistral4: Architecture = {
  name: 'mistral4',
  splitsKeyValueUp: true,
  naming,
  addKeys(keys, model) {
    addKeys?.(keys, model)
    addGrowthKeys(keys, model)
  },
  config(model) {
    const { topk_method: _, scoring_func: __, ...read } = config(model)
    return { ...grownRope(read, model.metadata), model_type: 'mistral4' }
  },
}
