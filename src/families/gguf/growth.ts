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
  // Where mistral3 has the length from.
  keys.u32('{arch}.rope.scaling.original_context_length', growth?.positions)
}

/** The config with its rope as Mistral writes it. */
export function grownRope({ rope_theta, rope_scaling, ...config }: JsonObject, m: Metadata): JsonObject {
  const scaling = (rope_scaling ?? {}) as JsonObject
  const beta = m.optionalNumber('{arch}.attention.temperature_scale')
  const positions =
    m.optionalInt('{arch}.attention.temperature_length', CONTEXT) ??
    m.optionalInt('{arch}.rope.scaling.original_context_length', CONTEXT) ??
    config.max_position_embeddings
  return {
    ...config,
    rope_parameters: {
      rope_type: 'default',
      ...scaling,
      rope_theta,
      ...(beta && { llama_4_scaling_beta: beta, original_max_position_embeddings: positions }),
    },
  }
}
