/**
 * DeepSeek-V2, V2-Lite, Coder-V2 (arXiv 2405.04434); DeepSeek-V3, R1 (arXiv 2412.19437); Kimi-K2, Moonlight;
 * GLM-4.7-Flash. They differ in routing only: softmax without bias, or sigmoid with a bias for the choice.
 */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { Growth } from '../../nn/attention/rope.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { LATENT as LATENT_BIASES } from '../biases.ts'
import type { ModelDescriptor } from '../descriptor.ts'
import type { Family, TensorNames } from '../family.ts'
import { HUB_NAMES, LATENT, ROUTED } from '../names.ts'
import { SIZE } from '../read/common.ts'
import { latentArithmetic } from '../read/latent.ts'
import { type Routing, runnable } from '../runnable.ts'
import { deepseek2 } from './gguf.ts'
import * as traits from './traits.ts'

/** Says that norms of latents are a constant factor, and for which eps. */
const CONSTANT_NORM = 'constant_latent_norm'

const NAMES: TensorNames = { ...HUB_NAMES, attention: LATENT, moe: ROUTED }

export const deepseekV2: Family = {
  traits: traits.deepseekV2,
  gguf: deepseek2,
  hubClass: 'DeepseekV2ForCausalLM',
  hubBiases: [{ modules: LATENT_BIASES, key: 'attention_bias' }],
  config: (raw, model) => deepseekConfig(raw, model, { method: 'greedy' }),
  names: NAMES,
}

export const deepseekV3: Family = {
  traits: traits.deepseekV3,
  gguf: deepseek2,
  hubClass: 'DeepseekV3ForCausalLM',
  insideOf: ['kimi_vl', 'kimi_k25'],
  hubBiases: [{ modules: LATENT_BIASES, key: 'attention_bias' }],
  config: (raw, model) => deepseekConfig(raw, model, { method: 'noaux_tc' }),
  names: NAMES,
}

type TopkMethod = 'greedy' | 'group_limited_greedy' | 'noaux_tc'

/** What a relative's config.json calls otherwise, or leaves to its code. */
export interface DeepseekDefaults {
  readonly method: TopkMethod
  /** The field with the number of routed experts. Default `n_routed_experts`. */
  readonly experts?: string
  /** Groups of experts, and how many of them a token takes. Default 1 and all. */
  readonly groups?: number
  readonly topkGroups?: number
  /** Experts of groups that lose count 0 in the choice instead of -inf. Default false. */
  readonly zeroLosers?: boolean
  /** Of what the routed experts return. Default 1. */
  readonly scale?: number
  /** How experts are scored. Default: by the method. */
  readonly scoring?: Routing['scoring']
  /** `partial_rotary_factor` is looked at already. Default false: only 1 is taken. */
  readonly partial?: boolean
  readonly queryGrowth?: Growth
  /** Queries choose their keys, by an indexer whose rope rotates neighbours or halves. Default: such a model is refused. */
  readonly indexer?: { readonly interleaved: boolean }
  /** Heads have a gate, of the query's matrix. Default false. */
  readonly gated?: boolean
  /** Of RMS norms. Default 1e-6. */
  readonly eps?: number
  /** Weights of its own that it computes with. */
  readonly own?: readonly string[]
}

export function deepseekConfig(raw: ConfigReader, model: ModelDescriptor, defaults: DeepseekDefaults): ModelConfig {
  // Where the file has no such layers it must not say nonsense of them all the same.
  raw.int('intermediate_size', SIZE)
  raw.int('first_k_dense_replace', { max: 1 << 16, default: 0 })
  const {
    experts: field = 'n_routed_experts',
    own = [],
    partial = false,
    queryGrowth,
    indexer,
    gated = false,
    eps,
  } = defaults
  const experts = raw.optionalInt(field, { max: 1 << 16 })
  // Written by latentify (docs/latentify.md). DeepSeek's own code leaves `sliding_window` alone.
  const constant = raw.optionalNumber(CONSTANT_NORM, { min: 0, exclusiveMin: true, max: 1 })
  return runnable(raw, model, {
    ...latentArithmetic(raw, { interleaved: true, partial, ...(eps && { eps }) }),
    ...(indexer && { indexer }),
    gated,
    ...(constant !== undefined && { constantLatentNorm: constant, windows: true }),
    ...(queryGrowth && { queryGrowth }),
    ...(experts && { routing: readRouting(raw, experts, field, defaults) }),
    own,
  })
}

function readRouting(raw: ConfigReader, nExperts: number, field: string, defaults: DeepseekDefaults): Routing {
  const { method: usual, groups: usualGroups = 1, topkGroups: usualTaken, scale: usualScale = 1 } = defaults
  const method = raw.oneOf('topk_method', ['greedy', 'group_limited_greedy', 'noaux_tc'], { default: usual })
  const scoring = raw.oneOf('scoring_func', ['softmax', 'sigmoid'], {
    default: defaults.scoring ?? (method === 'noaux_tc' ? 'sigmoid' : 'softmax'),
  })
  raw.int('moe_intermediate_size', SIZE)
  const normalise = raw.bool('norm_topk_prob', { default: method === 'noaux_tc' })
  const scale = raw.number('routed_scaling_factor', { min: 0, exclusiveMin: true, default: usualScale })
  const grouped = method !== 'greedy'
  const groups = grouped ? raw.int('n_group', { min: 1, max: nExperts, default: usualGroups }) : 1
  if (nExperts % groups !== 0) raw.fail('n_group', `a divisor of ${field}, which is ${nExperts}`)
  const topkGroups = grouped ? raw.int('topk_group', { min: 1, max: groups, default: usualTaken ?? groups }) : 1
  raw.int('num_experts_per_tok', { min: 1, max: defaults.zeroLosers ? nExperts : (nExperts / groups) * topkGroups })
  return {
    scoring,
    groups,
    topkGroups,
    ...(defaults.zeroLosers && { zeroLosers: true }),
    groupScore: method === 'noaux_tc' ? 'top2' : 'max',
    normalise,
    // DeepSeek's V2 code normalises or scales; its V3 code normalises, then scales.
    scale: normalise && method !== 'noaux_tc' ? 1 : scale,
  }
}
