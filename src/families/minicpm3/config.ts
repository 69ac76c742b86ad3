/** MiniCPM3: dense MLA with scaled embeddings, residuals and logits (arXiv 2404.06395, section 3), LongRoPE. */

import { LATENT as LATENT_BIASES } from '../biases.ts'
import type { Family } from '../family.ts'
import { HUB_NAMES, LATENT } from '../names.ts'
import { SIZE } from '../read/common.ts'
import { latentArithmetic } from '../read/latent.ts'
import { runnable } from '../runnable.ts'
import { minicpm3 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const FACTOR = { min: 0, max: 1e6, exclusiveMin: true } as const

export const minicpm3: Family = {
  traits: traits.minicpm3,
  gguf,
  hubClass: 'MiniCPM3ForCausalLM',
  hubBiases: [{ modules: LATENT_BIASES, key: 'attention_bias' }],
  names: { ...HUB_NAMES, attention: LATENT },
  config(raw, model) {
    const { layers, hiddenSize } = model
    const depth = Math.sqrt(layers.length)
    return runnable(raw, model, {
      ...latentArithmetic(raw, { interleaved: false, eps: 1e-5 }),
      embeddingScale: raw.number('scale_emb', { ...FACTOR, default: 1 }),
      residualScale: raw.number('scale_depth', { ...FACTOR, default: depth }) / depth,
      logitScale: raw.int('dim_model_base', { ...SIZE, default: hiddenSize }) / hiddenSize,
    })
  },
}
