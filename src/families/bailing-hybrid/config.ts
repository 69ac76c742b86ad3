/**
 * Ling 3.0: Kimi Delta Attention with a bounded decay in most layers, in the last of each group MLA with a gate for each head. Ling
 * 2.5 has the same `model_type` and lightning attention; `architectures` tells them apart.
 */

import { ConfigReader } from '../../checkpoint/config-reader.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { ModelConfig } from '../../nn/config.ts'
import { isLightning } from '../describe/states.ts'
import type { Family } from '../family.ts'
import { HUB_NAMES, ROUTED } from '../names.ts'
import { kimiDelta, kimiDeltaNames } from '../read/delta.ts'
import { latentArithmetic } from '../read/latent.ts'
import { type Routing, runnable } from '../runnable.ts'
import { bailingmoe3 } from './gguf.ts'
import * as traits from './traits.ts'

const COUNT = { min: 1, max: 1 << 16 } as const

export const bailingHybrid: Family = {
  traits: traits.bailingHybrid,
  gguf: bailingmoe3,
  hubClass: 'BailingMoeV3ForCausalLM',
  names: {
    ...HUB_NAMES,
    embedding: 'word_embeddings',
    attention: {
      queryDown: 'attention.q_a_proj',
      queryDownNorm: 'attention.q_a_layernorm',
      queryUp: 'attention.q_b_proj',
      query: 'attention.q_proj',
      keyValueDown: 'attention.kv_a_proj_with_mqa',
      latentNorm: 'attention.kv_a_layernorm',
      keyValueUp: 'attention.kv_b_proj',
      keyUp: 'attention.k_b_proj',
      valueUp: 'attention.v_b_proj',
      headGate: 'attention.g_proj',
      out: 'attention.dense',
    },
    delta: kimiDeltaNames('attention.', { decay: ['attention.f_proj'], gate: ['attention.g_proj'] }),
    moe: { ...ROUTED, selectionBias: 'mlp.gate.expert_bias' },
    predictionNorm: 'final_layernorm',
    // transformers ties nothing, whatever config.json says.
    ownOutput: true,
  },
  config(raw, model) {
    if (isLightning(raw)) {
      throw new UnsupportedModelError(
        `${raw.file}: Ling 2.5 (architectures) has lightning attention, which is not supported; latentkit runs Ling 3.0 (BailingMoeV3).`,
      )
    }
    refuseOthers(raw)
    // Its code rotates all of qk_rope_head_dim, whatever part published files speak of.
    const base = latentArithmetic(raw, { interleaved: true, theta: 6_000_000, partial: true })
    if (base.activation !== 'silu') raw.fail('hidden_act', 'silu')
    raw.oneOf('gated_attention_proj_granularity_type', ['head_wise'], { default: 'head_wise' })
    if (!raw.bool('no_kda_lora', { default: true })) raw.fail('no_kda_lora', 'true')
    const bounded = raw.bool('kda_safe_gate', { default: true })
    const floor = raw.number('kda_lower_bound', { min: -100, max: 0, default: -5 })
    if (bounded && floor === 0) raw.fail('kda_lower_bound', 'a number below 0, or no kda_safe_gate')
    const sizes = {
      heads: raw.optionalInt('linear_num_heads', COUNT) ?? raw.int('num_attention_heads', COUNT),
      dim: raw.optionalInt('linear_head_dim', COUNT) ?? raw.int('head_dim', { ...COUNT, default: 128 }),
      kernel: raw.int('short_conv_kernel_size', { min: 1, max: 32, default: 4 }),
    }
    const config = runnable(raw, model, {
      ...base,
      // As transformers 5 calls it.
      ...(raw.has('model_max_length') &&
        !raw.has('max_position_embeddings') && { maxPositions: raw.int('model_max_length', { min: 1, max: 1 << 28 }) }),
      headGate: true,
      own: ['attention gate'],
      routing: readRouting(raw),
      state: kimiDelta(sizes, { lowRank: null, decayFloor: bounded ? floor : 0, normEps: base.eps }),
    })
    return withLimits(raw, config)
  },
}

/** Switches of published files that no published model has otherwise, and that its code does not compute. */
const SWITCHES = {
  ...{ use_qk_norm: true, linear_silu: true, use_kda_lora: false, mtp_use_kda: false, use_mla_nope: false },
  ...{ scale_router_input: false, value_norm: false, up_proj_norm: false, use_nGPT: false },
}

function refuseOthers(raw: ConfigReader): void {
  for (const [key, usual] of Object.entries(SWITCHES))
    if (raw.bool(key, { default: usual }) !== usual) raw.fail(key, String(usual))
  if (raw.int('num_kv_heads_for_linear_attn', { default: 0 }) !== 0) raw.fail('num_kv_heads_for_linear_attn', '0')
  if (raw.int('group_norm_size', { min: 1, default: 1 }) !== 1) raw.fail('group_norm_size', '1')
}

/** Limits of experts, a number for each layer; 0 and null: none. */
function withLimits(raw: ConfigReader, config: ModelConfig): ModelConfig {
  const experts = readLimits(raw, 'expert_swiglu_limit_list', config.nLayers)
  const shared = readLimits(raw, 'share_expert_swiglu_limit_list', config.nLayers)
  const layers = config.layers.map((layer, i) => {
    const limits = { experts: experts[i] || null, shared: shared[i] || null }
    const has = limits.experts !== null || limits.shared !== null
    return has && layer.mlp.kind === 'moe' ? { ...layer, mlp: { ...layer.mlp, limits } } : layer
  })
  return { ...config, layers }
}

function readLimits(raw: ConfigReader, key: string, nLayers: number): readonly number[] {
  const list = raw.raw(key)
  if (list === undefined) return []
  const written = Array.isArray(list) ? new ConfigReader({ [key]: list.map(limit => limit ?? 0) }, raw.file) : raw
  const limits = written.numbers(key, { min: 0, max: 1e9 })
  return limits.length >= nLayers ? limits : raw.fail(key, `a limit for each of the ${nLayers} layers, 0 for none`)
}

function readRouting(raw: ConfigReader): Routing {
  raw.oneOf('score_function', ['sigmoid'], { default: 'sigmoid' })
  const groups = raw.optionalInt('n_group', COUNT) ?? raw.int('num_expert_group', { ...COUNT, default: 8 })
  return {
    scoring: 'sigmoid',
    groups,
    topkGroups: raw.int('topk_group', { min: 1, max: groups, default: Math.min(groups, 4) }),
    groupScore: 'top2',
    normalise: raw.optionalBool('norm_topk_prob') ?? raw.bool('moe_renormalize', { default: true }),
    scale: raw.number('routed_scaling_factor', { min: 0, exclusiveMin: true, default: 2.5 }),
  }
}
