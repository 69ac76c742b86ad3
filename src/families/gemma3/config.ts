/** Gemma 3 (arXiv 2503.19786), text: local and global layers with a rope each, norms around every part. */

import { UnsupportedModelError } from '../../errors.ts'
import { ATTENTION } from '../biases.ts'
import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES } from '../names.ts'
import { decoderConfig, evenDim, headDim, readActivation, readHeads, readMlp } from '../read/common.ts'
import { readRope } from '../read/rope.ts'
import { gemma3 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const GLOBAL = 0
const LOCAL = 1

export const gemma3: Family = {
  traits: traits.gemma3,
  gguf,
  hubClass: 'Gemma3ForCausalLM',
  hubBiases: [{ modules: ATTENTION, key: 'attention_bias' }],
  names: {
    ...HUB_NAMES,
    attention: { ...GROUPED, queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
    attentionOutNorm: 'post_attention_layernorm',
    mlpNorm: 'pre_feedforward_layernorm',
    mlpOutNorm: 'post_feedforward_layernorm',
    normOffset: 1,
  },
  config(raw) {
    const base = decoderConfig(raw, { tied: true })
    if (raw.bool('use_bidirectional_attention', { default: false })) {
      throw new UnsupportedModelError(
        `${raw.file}: bidirectional attention is not supported; latentkit decodes causally.`,
      )
    }
    const { nHeads, nKvHeads } = readHeads(raw)
    const d = evenDim(raw, 'head_dim', raw.optionalInt('head_dim') ?? headDim(raw, base.hiddenSize, nHeads))
    const scalar = raw.number('query_pre_attn_scalar', { min: 0, exclusiveMin: true, default: 256 })
    const window = raw.int('sliding_window', { min: 1, max: 1 << 28, default: 4096 })
    const types = raw.optionalStrings('layer_types', { length: base.nLayers })
    const pattern =
      raw.optionalInt('sliding_window_pattern', { min: 1 }) ??
      raw.int('_sliding_window_pattern', { min: 1, default: 6 })
    const global = readRope(raw, { dim: d, interleaved: false, theta: 1_000_000, layerType: 'full_attention' })
    // The local rope is never stretched.
    const perType = raw.optionalObject('rope_parameters')?.optionalObject('sliding_attention')
    const theta = { min: 1, max: 1e12, exclusiveMin: true }
    const localTheta =
      perType?.optionalNumber('rope_theta', theta) ?? raw.number('rope_local_base_freq', { ...theta, default: 10_000 })
    const attention = {
      kind: 'grouped',
      nHeads,
      nKvHeads,
      headDim: d,
      softmaxScale: scalar ** -0.5,
      qkNormEps: base.norm.eps,
    } as const
    const mlp = { ...readMlp(raw), activation: readActivation(raw, 'hidden_activation', 'gelu_pytorch_tanh') }
    return {
      ...base,
      blockOrder: 'sandwich',
      ropes: [global, { dim: d, theta: localTheta, interleaved: false, scaling: { kind: 'none' } }],
      layers: Array.from({ length: base.nLayers }, (_, i) => {
        const sliding = types ? types[i] === 'sliding_attention' : (i + 1) % pattern !== 0
        return { attention, rope: sliding ? LOCAL : GLOBAL, window: sliding ? window : null, mlp }
      }),
      embeddingScale: Math.sqrt(base.hiddenSize),
    }
  },
}
