/** Gemma 3 (arXiv 2503.19786), text: local and global layers with a rope each, norms around every part. */

import { UnsupportedModelError } from '../../errors.ts'
import { ATTENTION } from '../biases.ts'
import type { Family } from '../family.ts'
import { GEMMA_NAMES } from '../names.ts'
import { readActivation, rmsEps } from '../read/common.ts'
import { readRope } from '../read/rope.ts'
import { runnable } from '../runnable.ts'
import { gemma3 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const GLOBAL = 0
const LOCAL = 1

export const gemma3: Family = {
  traits: traits.gemma3,
  gguf,
  hubClass: 'Gemma3ForCausalLM',
  insideOf: ['gemma3'],
  hubBiases: [{ modules: ATTENTION, key: 'attention_bias' }],
  names: {
    ...GEMMA_NAMES,
    normOffset: 1,
  },
  config(raw, model) {
    if (raw.bool('use_bidirectional_attention', { default: false })) {
      throw new UnsupportedModelError(
        `${raw.file}: bidirectional attention is not supported; latentkit decodes causally.`,
      )
    }
    // The local rope is never stretched.
    const perType = raw.optionalObject('rope_parameters')?.optionalObject('sliding_attention')
    const range = { min: 1, max: 1e12, exclusiveMin: true }
    const theta =
      perType?.optionalNumber('rope_theta', range) ?? raw.number('rope_local_base_freq', { ...range, default: 10_000 })
    return runnable(raw, model, {
      attention: 'grouped',
      eps: rmsEps(raw, 1e-6),
      activation: readActivation(raw, 'hidden_activation', 'gelu_pytorch_tanh'),
      blockOrder: 'sandwich',
      ropes: dim => [
        readRope(raw, { dim, interleaved: false, theta: 1_000_000, layerType: 'full_attention' }),
        { dim, theta, interleaved: false, scaling: { kind: 'none' } },
      ],
      ropeOf: ({ window }) => (window === null ? GLOBAL : LOCAL),
      softmaxScale: raw.number('query_pre_attn_scalar', { min: 0, exclusiveMin: true, default: 256 }) ** -0.5,
      qkNorm: 'head',
      windows: true,
      embeddingScale: Math.sqrt(model.hiddenSize),
      logitCap: raw.optionalNumber('final_logit_softcapping', { min: 0, exclusiveMin: true, max: 1e6 }),
    })
  },
}
