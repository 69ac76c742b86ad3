/**
 * DeepSeek-V2, V2-Lite, Coder-V2 (arXiv 2405.04434); DeepSeek-V3, R1 (arXiv 2412.19437); Kimi-K2, Moonlight;
 * GLM-4.7-Flash. They differ in routing only: softmax without bias, or sigmoid with a bias for the choice.
 */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { Activation } from '../../kernels/contract/operations.ts'
import type { MlpConfig, ModelConfig, MoeConfig } from '../../nn/config.ts'
import { LATENT as LATENT_BIASES } from '../biases.ts'
import type { Family, TensorNames } from '../family.ts'
import { GATED_MLP, HUB_NAMES, LATENT } from '../names.ts'
import { decoderConfig, readMlp, SIZE } from '../read/common.ts'
import { readLatentAttention } from '../read/latent.ts'
import { deepseek2 } from './gguf.ts'
import * as traits from './traits.ts'

const NAMES: TensorNames = {
  ...HUB_NAMES,
  attention: LATENT,
  moe: {
    router: 'mlp.gate',
    selectionBias: 'mlp.gate.e_score_correction_bias',
    expert: 'mlp.experts.{expert}.',
    shared: 'mlp.shared_experts.',
    mlp: GATED_MLP,
  },
}

export const deepseekV2: Family = {
  traits: traits.deepseekV2,
  gguf: deepseek2,
  hubClass: 'DeepseekV2ForCausalLM',
  hubBiases: [{ modules: LATENT_BIASES, key: 'attention_bias' }],
  config: raw => config(raw, 'greedy'),
  names: NAMES,
}

export const deepseekV3: Family = {
  traits: traits.deepseekV3,
  gguf: deepseek2,
  hubClass: 'DeepseekV3ForCausalLM',
  hubBiases: [{ modules: LATENT_BIASES, key: 'attention_bias' }],
  config: raw => config(raw, 'noaux_tc'),
  names: NAMES,
}

type TopkMethod = 'greedy' | 'group_limited_greedy' | 'noaux_tc'

function config(raw: ConfigReader, defaultMethod: TopkMethod): ModelConfig {
  const base = decoderConfig(raw, { tied: false })
  const mlps = readMlps(raw, base.nLayers, defaultMethod)
  const { attention, rope } = readLatentAttention(raw, { interleaved: true })
  return { ...base, ropes: [rope], layers: mlps.map(mlp => ({ attention, rope: 0, window: null, mlp })) }
}

/** By layer: the first ones are dense. */
function readMlps(raw: ConfigReader, nLayers: number, defaultMethod: TopkMethod): MlpConfig[] {
  const dense = readMlp(raw)
  const moe = readMoe(raw, defaultMethod, dense.activation)
  const firstDense = raw.int('first_k_dense_replace', { max: 1 << 16, default: 0 })
  const frequency = raw.int('moe_layer_freq', { min: 1, max: 1 << 16, default: 1 })
  const types = raw.optionalStrings('mlp_layer_types', { length: nLayers })
  return Array.from({ length: nLayers }, (_, i) => {
    const sparse = types ? types[i] === 'sparse' : i >= firstDense && i % frequency === 0
    return moe && sparse ? moe : dense
  })
}

function readMoe(raw: ConfigReader, defaultMethod: TopkMethod, activation: Activation): MoeConfig | null {
  const nExperts = raw.optionalInt('n_routed_experts', { max: 1 << 16 })
  if (!nExperts) return null
  const method = raw.oneOf('topk_method', ['greedy', 'group_limited_greedy', 'noaux_tc'], { default: defaultMethod })
  const scoring = raw.oneOf('scoring_func', ['softmax', 'sigmoid'], {
    default: method === 'noaux_tc' ? 'sigmoid' : 'softmax',
  })
  const expertSize = raw.int('moe_intermediate_size', SIZE)
  const normalise = raw.bool('norm_topk_prob', { default: method === 'noaux_tc' })
  const scale = raw.number('routed_scaling_factor', { min: 0, exclusiveMin: true, default: 1 })
  const grouped = method !== 'greedy'
  const groups = grouped ? raw.int('n_group', { min: 1, max: nExperts, default: 1 }) : 1
  if (nExperts % groups !== 0) raw.fail('n_group', `a divisor of n_routed_experts, which is ${nExperts}`)
  const topkGroups = grouped ? raw.int('topk_group', { min: 1, max: groups, default: groups }) : 1
  return {
    kind: 'moe',
    nExperts,
    topK: raw.int('num_experts_per_tok', { min: 1, max: (nExperts / groups) * topkGroups }),
    expertSize,
    sharedSize: raw.int('n_shared_experts', { max: 1 << 12, default: 0 }) * expertSize,
    activation,
    selectionBias: method === 'noaux_tc',
    scoring,
    groups,
    topkGroups,
    groupScore: method === 'noaux_tc' ? 'top2' : 'max',
    normalise,
    // DeepSeek's V2 code normalises or scales; its V3 code normalises, then scales.
    scale: normalise && method !== 'noaux_tc' ? 1 : scale,
  }
}
