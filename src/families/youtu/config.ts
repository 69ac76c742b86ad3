/** Youtu-LLM: dense MLA with a query latent, tied embeddings. */

import { LATENT as LATENT_BIASES } from '../biases.ts'
import { deepseek2 } from '../deepseek/gguf.ts'
import type { Family } from '../family.ts'
import { HUB_NAMES, LATENT } from '../names.ts'
import { decoderConfig, readMlp, sameLayers } from '../read/common.ts'
import { readLatentAttention } from '../read/latent.ts'
import * as traits from './traits.ts'

export const youtu: Family = {
  traits: traits.youtu,
  gguf: deepseek2,
  hubBiases: [{ modules: LATENT_BIASES, key: 'attention_bias' }],
  names: { ...HUB_NAMES, attention: LATENT },
  config(raw) {
    const base = decoderConfig(raw, { tied: true })
    const { attention, rope } = readLatentAttention(raw, { interleaved: true, theta: 1_600_000 })
    return { ...base, ropes: [rope], layers: sameLayers(base.nLayers, { attention, mlp: readMlp(raw) }) }
  },
}
