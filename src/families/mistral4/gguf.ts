/** Mistral Small 4 in llama.cpp's files: deepseek2's layout with a name of its own. */
import { deepseek2, deepseekConfig } from '../deepseek/gguf.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { addGrowthKeys, grownRope } from '../gguf/growth.ts'

const { naming, addKeys } = deepseek2

export const mistral4: Architecture = {
  name: 'mistral4',
  splitsKeyValueUp: true,
  latentYarn: 'divided',
  naming,
  addKeys(keys, model, predictions) {
    addKeys?.(keys, model, predictions)
    addGrowthKeys(keys, model)
  },
  config(model) {
    const { topk_method: _, scoring_func: __, ...read } = deepseekConfig(model, 'divided')
    return { ...grownRope(read, model.metadata), model_type: 'mistral4' }
  },
}
