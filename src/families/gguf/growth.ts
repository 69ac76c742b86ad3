/** Queries that grow with their position, in llama.cpp's files: Mistral's. */
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { CONTEXT } from './ranges.ts'

export function addGrowthKeys(keys: GgufKeys, { ropes }: ModelConfig): void {
  const growth = ropes.find(rope => rope.growth)?.growth
  keys.f32('{arch}.attention.temperature_scale', growth?.beta)
  keys.u32('{arch}.attention.temperature_length', growth?.positions)
  // What cos and sin are multiplied by is 1 in this architecture, unless the file says otherwise.
  const yarn = ropes[0]?.scaling
  if (yarn?.kind === 'yarn' && yarn.mscaleAllDim)
    keys.f32('{arch}.rope.scaling.yarn_log_multiplier', 0.1 * yarn.mscaleAllDim)
}

/** The config with its rope as Mistral writes it. */
export function grownRope({ rope_theta, rope_scaling, ...config }: JsonObject, m: Metadata): JsonObject {
  const scaling = (rope_scaling ?? {}) as JsonObject
  const beta = m.optionalNumber('{arch}.attention.temperature_scale')
  const positions =
    m.optionalInt('{arch}.attention.temperature_length', CONTEXT) ?? scaling.original_max_position_embeddings
  const yarn = scaling.rope_type === 'yarn' && scaling.attention_factor === undefined
  return {
    ...config,
    rope_parameters: {
      rope_type: 'default',
      ...scaling,
      rope_theta,
      ...(yarn && { mscale: 1, mscale_all_dim: 1 }),
      ...(beta && { llama_4_scaling_beta: beta, original_max_position_embeddings: positions }),
    },
  }
}
