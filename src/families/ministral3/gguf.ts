/** Ministral 3 in llama.cpp's files. */
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { yarnMscale } from '../../nn/attention/rope.ts'
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
    const { factor, mscale, mscaleAllDim } = scaling
    if (!mscale || !mscaleAllDim) return
    keys.f32(MULTIPLIER, mscaleAllDim)
    // Besides the multiplier's, in place of what says both elsewhere.
    keys.f32('{arch}.rope.scaling.attn_factor', yarnMscale(factor, mscale) / yarnMscale(factor, 1))
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
  const { attention_factor: given, factor } = scaling as { attention_factor?: number; factor: number }
  // Given outright it stands for both; llama.cpp multiplies it by what the multiplier makes of YaRN.
  const both = given !== undefined && { attention_factor: given / yarnMscale(factor, multiplier) }
  return { ...config, rope_scaling: { ...scaling, ...both, mscale: 1, mscale_all_dim: multiplier } }
}
