/** gpt-oss (arXiv 2508.10925): sinks in every softmax, a window in every other layer, experts with biases and clamped gates. */

import { ATTENTION } from '../biases.ts'
import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES, ROUTED } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { withUsualRope } from '../read/rope.ts'
import { runnable } from '../runnable.ts'
import { gptOss as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const POSITIVE = { min: 0, exclusiveMin: true, max: 1e6 } as const

export const gptOss: Family = {
  traits: traits.gptOss,
  gguf,
  hubClass: 'GptOssForCausalLM',
  hubBiases: [
    { modules: ATTENTION, key: 'attention_bias' },
    { modules: /\.mlp\.(router|experts\.(gate|up|down)_proj)$/, always: true },
  ],
  names: {
    ...HUB_NAMES,
    attention: { ...GROUPED, sinks: 'self_attn.sinks' },
    moe: {
      ...ROUTED,
      router: 'mlp.router',
      biases: {
        gate: 'mlp.experts.gate_proj.bias',
        up: 'mlp.experts.up_proj.bias',
        down: 'mlp.experts.down_proj.bias',
      },
    },
  },
  config(file, model) {
    const raw = withUsualRope(file, YARN)
    return runnable(raw, model, {
      ...groupedArithmetic(raw, { eps: 1e-5, theta: 150_000 }),
      windows: true,
      clamp: {
        alpha: raw.number('swiglu_alpha', { ...POSITIVE, default: 1.702 }),
        limit: raw.number('swiglu_limit', { ...POSITIVE, default: 7 }),
      },
      // The softmax over the chosen experts alone.
      routing: { scoring: 'softmax', groups: 1, topkGroups: 1, groupScore: 'max', normalise: true, scale: 1 },
    })
  },
}

/** Where a file says nothing of its rope. */
const YARN = {
  ...{ rope_type: 'yarn', factor: 32, original_max_position_embeddings: 4096 },
  ...{ beta_fast: 32, beta_slow: 1, truncate: false },
}
