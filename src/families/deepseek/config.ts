/**
 * DeepSeek-V2, V2-Lite, Coder-V2 (arXiv 2405.04434); DeepSeek-V3, R1 (arXiv 2412.19437); Kimi-K2, Moonlight;
 * GLM-4.7-Flash. They differ in routing only: softmax without bias, or sigmoid with a bias for the choice.
 */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { LATENT as LATENT_BIASES } from '../biases.ts'
import type { ModelDescriptor } from '../descriptor.ts'
import type { Family, TensorNames } from '../family.ts'
import { GATED_MLP, HUB_NAMES, LATENT } from '../names.ts'
import { SIZE } from '../read/common.ts'
import { latentArithmetic } from '../read/latent.ts'
import { type Routing, runnable } from '../runnable.ts'
import { deepseek2 } from './gguf.ts'
import * as traits from './traits.ts'

/** Says that norms of latents are a constant factor, and for which eps. */
const CONSTANT_NORM = 'constant_latent_norm'

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
  config: (raw, model) => config(raw, model, 'greedy'),
  names: NAMES,
}

export const deepseekV3: Family = {
  traits: traits.deepseekV3,
  gguf: deepseek2,
  hubClass: 'DeepseekV3ForCausalLM',
  hubBiases: [{ modules: LATENT_BIASES, key: 'attention_bias' }],
  config: (raw, model) => config(raw, model, 'noaux_tc'),
  names: NAMES,
}

type TopkMethod = 'greedy' | 'group_limited_greedy' | 'noaux_tc'

function config(raw: ConfigReader, model: ModelDescriptor, defaultMethod: TopkMethod): ModelConfig {
  // Where the file has no such layers it must not say nonsense of them all the same.
  raw.int('intermediate_size', SIZE)
  raw.int('first_k_dense_replace', { max: 1 << 16, default: 0 })
  const experts = raw.optionalInt('n_routed_experts', { max: 1 << 16 })
  // Written by latentify (docs/latentify.md). DeepSeek's own code leaves `sliding_window` alone.
  const constant = raw.optionalNumber(CONSTANT_NORM, { min: 0, exclusiveMin: true, max: 1 })
  return runnable(raw, model, {
    ...latentArithmetic(raw, { interleaved: true }),
    ...(constant !== undefined && { constantLatentNorm: constant, windows: true }),
    ...(experts && { routing: readRouting(raw, experts, defaultMethod) }),
  })
}

function readRouting(raw: ConfigReader, nExperts: number, defaultMethod: TopkMethod): Routing {
  const method = raw.oneOf('topk_method', ['greedy', 'group_limited_greedy', 'noaux_tc'], { default: defaultMethod })
  const scoring = raw.oneOf('scoring_func', ['softmax', 'sigmoid'], {
    default: method === 'noaux_tc' ? 'sigmoid' : 'softmax',
  })
  raw.int('moe_intermediate_size', SIZE)
  const normalise = raw.bool('norm_topk_prob', { default: method === 'noaux_tc' })
  const scale = raw.number('routed_scaling_factor', { min: 0, exclusiveMin: true, default: 1 })
  const grouped = method !== 'greedy'
  const groups = grouped ? raw.int('n_group', { min: 1, max: nExperts, default: 1 }) : 1
  if (nExperts % groups !== 0) raw.fail('n_group', `a divisor of n_routed_experts, which is ${nExperts}`)
  const topkGroups = grouped ? raw.int('topk_group', { min: 1, max: groups, default: groups }) : 1
  raw.int('num_experts_per_tok', { min: 1, max: (nExperts / groups) * topkGroups })
  return {
    scoring,
    groups,
    topkGroups,
    groupScore: method === 'noaux_tc' ? 'top2' : 'max',
    normalise,
    // DeepSeek's V2 code normalises or scales; its V3 code normalises, then scales.
    scale: normalise && method !== 'noaux_tc' ? 1 : scale,
  }
}
