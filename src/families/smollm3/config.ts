/** SmolLM3: Llama, of whose layers every fourth rotates nothing. */

import { ATTENTION, MLP } from '../biases.ts'
import { readRotatedLayers } from '../describe/layers.ts'
import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { runnable } from '../runnable.ts'
import { smollm3 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

export const smollm3: Family = {
  traits: traits.smollm3,
  gguf,
  hubClass: 'SmolLM3ForCausalLM',
  hubBiases: [
    { modules: ATTENTION, key: 'attention_bias' },
    { modules: MLP, key: 'mlp_bias' },
  ],
  names: { ...HUB_NAMES, attention: GROUPED },
  config(raw, model) {
    const rotates = readRotatedLayers(raw, model.layers.length)
    return runnable(raw, model, {
      ...groupedArithmetic(raw, { eps: 1e-6, theta: 2_000_000 }),
      ropeOf: (_, index) => (rotates(index) ? 0 : null),
      windows: true,
    })
  },
}
