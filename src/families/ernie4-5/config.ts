/** ERNIE 4.5, dense: Llama whose rope turns neighbours. */

import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { runnable } from '../runnable.ts'
import { ernie45 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

export const ernie45: Family = {
  traits: traits.ernie45,
  gguf,
  hubClass: 'Ernie4_5ForCausalLM',
  hubBiases: [{ modules: /\.(self_attn|mlp)\.\w+_proj$/, key: 'use_bias' }],
  names: { ...HUB_NAMES, attention: GROUPED, neighbours: true },
  config: (raw, model) =>
    runnable(raw, model, groupedArithmetic(raw, { eps: 1e-5, theta: 500_000, interleaved: true })),
}
