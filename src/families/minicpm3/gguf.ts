/** MiniCPM3: MLA in the old layout, LongRoPE's factors as tensors. */

import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import type { ModelConfig } from '../../nn/config.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { decoderConfig, headCount } from '../gguf/common.ts'
import { latentSizes } from '../gguf/latent.ts'
import { LATENT } from '../gguf/naming.ts'

/** Of the one model published: its files do not carry them. */
const PUBLISHED = { scale_emb: 12, scale_depth: 1.4, dim_model_base: 256 }

export const minicpm3: Architecture = {
  name: 'minicpm3',
  ropeDivisors: 'two',
  addKeys: addScaleKeys,
  warnings({ embeddingScale, logitScale, hiddenSize }) {
    if (embeddingScale === PUBLISHED.scale_emb && logitScale * hiddenSize === PUBLISHED.dim_model_base) return []
    return ['llama.cpp has the scales of the published MiniCPM3 built in, and this model has others']
  },
  naming: LATENT,
  config(model) {
    const { metadata: m } = model
    const hidden = m.int('{arch}.embedding_length')
    return {
      ...decoderConfig(model),
      ...latentSizes(m, hidden / headCount(m)),
      ...PUBLISHED,
      ...scales(m, hidden),
      model_type: 'minicpm3',
    }
  },
}

/** The keys that files of MiniCPM have, should a file bring them. */
function scales(m: Metadata, hidden: number): JsonObject {
  const embedding = m.optionalNumber('{arch}.embedding_scale')
  const residual = m.optionalNumber('{arch}.residual_scale')
  const logits = m.optionalNumber('{arch}.logit_scale')
  return {
    ...(embedding && { scale_emb: embedding }),
    ...(residual && { scale_depth: residual * Math.sqrt(m.int('{arch}.block_count')) }),
    ...(logits && { dim_model_base: Math.round(hidden / logits) }),
  }
}

/** MiniCPM's; MiniCPM3's own files do without, because there is one model. */
function addScaleKeys(keys: GgufKeys, { embeddingScale, residualScale, logitScale }: ModelConfig): void {
  keys.f32('{arch}.embedding_scale', embeddingScale)
  keys.f32('{arch}.residual_scale', residualScale)
  keys.f32('{arch}.logit_scale', 1 / logitScale)
}
