/** Youtu-LLM: dense MLA with a query latent, tied embeddings. */

import type { Family } from '../family.ts'
import { HUB_NAMES, LATENT } from '../names.ts'
import { decoderConfig, readMlp, sameLayers } from '../read/common.ts'
import { readLatentAttention } from '../read/latent.ts'

export const youtu: Family = {
  modelTypes: ['youtu', 'youtu_llm'],
  names: { ...HUB_NAMES, attention: LATENT },
  config(raw) {
    const base = decoderConfig(raw, { tied: true })
    const { attention, rope } = readLatentAttention(raw, { interleaved: true, theta: 1_600_000 })
    return { ...base, ropes: [rope], layers: sameLayers(base.nLayers, { attention, mlp: readMlp(raw) }) }
  },
}
