/** Qwen3's mixtures of experts in llama.cpp's files. */
import { UnsupportedModelError } from '../../errors.ts'
import { expertsOf } from '../../nn/config.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { addExpertSizes, expertSizes, ROUTED_NAMING } from '../gguf/experts.ts'
import { DECODER } from '../gguf/naming.ts'

export const qwen3Moe: Architecture = {
  name: 'qwen3moe',
  naming: { ...DECODER, ...ROUTED_NAMING, inLayer: { ...DECODER.inLayer, ...ROUTED_NAMING.inLayer } },
  addKeys(keys, config) {
    const [moe] = expertsOf(config)
    if (!moe)
      throw new UnsupportedModelError("llama.cpp's architecture qwen3moe has experts in every layer, this model none")
    addExpertSizes(keys, moe)
  },
  config(model) {
    const { metadata } = model
    return {
      ...groupedConfig(model),
      ...expertSizes(metadata),
      model_type: 'qwen3_moe',
      // llama.cpp knows no other.
      norm_topk_prob: true,
      sliding_window: null,
    }
  },
}
