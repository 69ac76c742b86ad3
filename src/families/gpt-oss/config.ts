/** gpt-oss (arXiv 2508.10925): sinks in every softmax, a window in every other layer, experts with biases and clamped gates. */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES, ROUTED } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { runnable } from '../runnable.ts'
import { gptOss as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const POSITIVE = { min: 0, exclusiveMin: true, max: 1e6 } as const

export const gptOss: Family = {
  traits: traits.gptOss,
  gguf,
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
  config(raw, model) {
    const arithmetic = groupedArithmetic(raw, { eps: 1e-5, theta: 150_000 })
    return runnable(raw, model, {
      ...arithmetic,
      ...(!hasRope(raw) && {
        ropes: dim => (arithmetic.ropes?.(dim) ?? []).map(rope => ({ ...rope, scaling: USUAL })),
      }),
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

/** What transformers' class has where a file says nothing of its rope. */
const USUAL = {
  kind: 'yarn',
  factor: 32,
  originalPositions: 4096,
  betaFast: 32,
  betaSlow: 1,
  mscale: null,
  mscaleAllDim: null,
  attentionFactor: null,
  truncate: false,
} as const

function hasRope(raw: ConfigReader): boolean {
  return raw.has('rope_scaling') || raw.has('rope_parameters')
}
