/** Ministral 3 in llama.cpp's files. */
import type { JsonObject } from '../../checkpoint/json-file.ts'
import type { Architecture, GgufModel } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { addGrowthKeys, grownRope } from '../gguf/growth.ts'
import { DECODER } from '../gguf/naming.ts'

/** `mscale_all_dim` itself, not a tenth of it as in deepseek2 and mistral4; `mscale` is 1. */
const MULTIPLIER = '{arch}.rope.scaling.yarn_log_multiplier'

export const mistral3: Architecture = {
  name: 'mistral3',
  interleaves: true,
  ropeDivisors: 'one',
  naming: DECODER,
  addKeys(keys, model) {
    addGrowthKeys(keys, model)
    const scaling = model.ropes[0]?.scaling
    if (scaling?.kind !== 'yarn' || scaling.attentionFactor !== null) return
    if (scaling.mscale && scaling.mscaleAllDim) keys.f32(MULTIPLIER, scaling.mscaleAllDim)
  },
  config: model => ({
    ...grownRope(withMultiplier(groupedConfig(model), model), model.metadata),
    model_type: 'ministral3',
    rope_interleave: true,
  }),
}

function withMultiplier(config: JsonObject, { metadata: m }: GgufModel): JsonObject {
  const scaling = config.rope_scaling as JsonObject | undefined
  const multiplier = m.optionalNumber(MULTIPLIER)
  if (scaling?.rope_type !== 'yarn' || !multiplier) return config
  return { ...config, rope_scaling: { ...scaling, mscale: 1, mscale_all_dim: multiplier } }
}
