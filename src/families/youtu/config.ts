/** Youtu-LLM: dense MLA with a query latent, tied embeddings. */

import { LATENT as LATENT_BIASES } from '../biases.ts'
import { deepseek2 } from '../deepseek/gguf.ts'
import type { Family } from '../family.ts'
import { HUB_NAMES, LATENT } from '../names.ts'
import { latentArithmetic } from '../read/latent.ts'
import { runnable } from '../runnable.ts'
import * as traits from './traits.ts'

export const youtu: Family = {
  traits: traits.youtu,
  gguf: deepseek2,
  hubBiases: [{ modules: LATENT_BIASES, key: 'attention_bias' }],
  names: { ...HUB_NAMES, attention: LATENT },
  config: (raw, model) => runnable(raw, model, latentArithmetic(raw, { interleaved: true, theta: 1_600_000 })),
}
