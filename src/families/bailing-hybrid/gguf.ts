/** Ling 3.0 in llama.cpp's files. */
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { expertsOf, type ModelConfig } from '../../nn/config.ts'
import type { Architecture, GgufModel } from '../gguf/architecture.ts'
import { decoderConfig, padToken } from '../gguf/common.ts'
import { addExpertKeys, SIGMOID, STACKED_EXPERTS } from '../gguf/experts.ts'
import { latentSizes } from '../gguf/latent.ts'
import { LATENT } from '../gguf/naming.ts'
import { HEADS, SIZE } from '../gguf/ranges.ts'
import {
  addKimiDeltaKeys,
  attendingOf,
  forAllBlocks,
  kimiDeltaWarnings,
  layerTypes,
  stateLayers,
  stateOf,
} from '../gguf/states.ts'

const SAFE = '{arch}.kda.safe_gate'
const FLOOR = '{arch}.kda.gate_lower_bound'
const SHARED = '{arch}.expert_shared_count'
const SHARED_WIDTH = '{arch}.expert_shared_feed_forward_length'
/** Of experts and of shared ones, one for each layer or for all. */
const LIMITS = { experts: '{arch}.swiglu_clamp_exp', shared: '{arch}.swiglu_clamp_shexp' } as const

export const bailingmoe3: Architecture = {
  name: 'bailingmoe3',
  splitsKeyValueUp: true,
  decayRates: 1,
  predictions: true,
  naming: {
    ...LATENT,
    model: { ...LATENT.model, token_embd: 'model.word_embeddings' },
    inLayer: {
      // In front of the usual name, which other programs write.
      layer_output_norm: 'final_layernorm',
      ...Object.fromEntries(
        Object.entries(LATENT.inLayer).map(([name, module]) => [name, module.replace(/^self_attn\./, 'attention.')]),
      ),
      attn_output: 'attention.dense',
      attn_gate: 'attention.g_proj',
      ssm_conv1d_q: 'attention.q_conv1d',
      ssm_conv1d_k: 'attention.k_conv1d',
      ssm_conv1d_v: 'attention.v_conv1d',
      ssm_f_a: 'attention.f_proj',
      ssm_beta: 'attention.b_proj',
      ssm_a: 'attention.A_log',
      'ssm_dt.bias': 'attention.dt_bias',
      ssm_norm: 'attention.o_norm',
      ffn_gate_inp: 'mlp.gate',
      'exp_probs_b.bias': 'mlp.gate.expert_bias',
      exp_probs_b: 'mlp.gate.expert_bias',
      ffn_gate_shexp: 'mlp.shared_experts.gate_proj',
      ffn_up_shexp: 'mlp.shared_experts.up_proj',
      ffn_down_shexp: 'mlp.shared_experts.down_proj',
      'nextn.shared_head_norm': 'final_layernorm',
    },
    inStateLayer: { attn_output: 'attention.o_proj', ssm_g_a: 'attention.g_proj' },
    experts: STACKED_EXPERTS,
  },
  shownAttention: attendingOf,
  warnings: config => [...kimiDeltaWarnings(config), ...unboundedWarnings(config)],
  addKeys,
  config(model) {
    const { metadata: m } = model
    const base = decoderConfig(model)
    const states = stateLayers(model, 'ssm_a')
    return {
      ...base,
      ...padToken(m),
      ...latentSizes(m),
      ...experts(model),
      model_type: 'bailing_hybrid',
      num_key_value_heads: base.num_attention_heads,
      head_dim: m.int('{arch}.kda.head_dim', SIZE),
      short_conv_kernel_size: m.int('{arch}.ssm.conv_kernel', { min: 1, max: 32 }),
      no_kda_lora: true,
      kda_safe_gate: m.optionalBool(SAFE) ?? true,
      kda_lower_bound: m.optionalNumber(FLOOR, { max: 0 }) ?? 0,
      gated_attention_proj_granularity_type: 'head_wise',
      expert_swiglu_limit_list: limitsOf(m, LIMITS.experts, states.length),
      share_expert_swiglu_limit_list: limitsOf(m, LIMITS.shared, states.length),
      ...layers(states),
    }
  },
}

function addKeys(keys: GgufKeys, config: ModelConfig, predictions: number): void {
  const [moe] = expertsOf(config)
  const state = stateOf(config, 'delta')
  if (!moe || !state || attendingOf(config)?.kind !== 'latent') {
    throw new UnsupportedModelError(
      "llama.cpp's architecture bailingmoe3 has layers with a state, layers that attend and layers of experts, this model not all three",
    )
  }
  addKimiDeltaKeys(keys, config)
  keys.bool(SAFE, state.decayFloor < 0)
  keys.f32(FLOOR, state.decayFloor)
  addExpertKeys(keys, config, predictions)
  // Of shared experts llama.cpp reads the width of all together.
  keys.u32(SHARED, moe.sharedSize % moe.expertSize === 0 ? moe.sharedSize / moe.expertSize : 1)
  keys.u32(SHARED_WIDTH, moe.sharedSize)
  addLimits(keys, config)
}

function unboundedWarnings(config: ModelConfig): string[] {
  if (stateOf(config, 'delta')?.decayFloor !== 0) return []
  return ['llama.cpp will not load this file: its bailingmoe3 knows bounded decays only (kda_safe_gate)']
}

/** Every nth layer attends, or those that are listed. */
function layers(states: readonly boolean[]): JsonObject {
  const group = states.indexOf(false) + 1
  const regular = group > 0 && states.every((is, i) => is === ((i + 1) % group !== 0))
  return {
    layer_group_size: group || states.length + 1,
    ...(!regular && { layer_types: layerTypes(states, 'linear_attention') }),
  }
}

/** As the hub lists them; null: there are none. */
function limitsOf(m: Metadata, key: string, nLayers: number): number[] | null {
  const all = typeof m.raw(key) === 'object' ? m.optionalNumbers(key) : undefined
  const one = all ? 0 : (m.optionalNumber(key, { max: 1e9 }) ?? 0)
  const limits = Array.from({ length: nLayers }, (_, i) => (all ? (all[i] ?? 0) : one))
  return limits.some(limit => limit !== 0) ? limits : null
}

function addLimits(keys: GgufKeys, { layers }: ModelConfig): void {
  for (const of of ['experts', 'shared'] as const) {
    const limits = layers.map(({ mlp }) => (mlp.kind === 'moe' ? (mlp.limits?.[of] ?? 0) : 0))
    if (limits.some(limit => limit > 0)) keys.numbers(LIMITS[of], 'f32', forAllBlocks(keys, limits, 0))
  }
}

function experts({ metadata: m }: GgufModel): JsonObject {
  const count = m.int('{arch}.expert_count', { min: 1, max: HEADS.max })
  m.int('{arch}.expert_gating_func', { min: SIGMOID, max: SIGMOID })
  const groups = m.optionalInt('{arch}.expert_group_count') || 1
  const size = m.int('{arch}.expert_feed_forward_length', SIZE)
  const shared = m.optionalInt(SHARED, { max: HEADS.max }) ?? 0
  const width = m.optionalInt(SHARED_WIDTH, { max: SIZE.max }) || size * Math.max(shared, 1)
  if (shared > 0 && width % shared !== 0) m.fail(SHARED_WIDTH, `a multiple of the ${shared} shared experts`)
  return {
    num_experts: count,
    num_experts_per_tok: m.int('{arch}.expert_used_count', { min: 1, max: count }),
    num_shared_experts: shared,
    moe_intermediate_size: size,
    moe_shared_expert_intermediate_size: shared > 0 ? width / shared : size,
    moe_router_enable_expert_bias: true,
    first_k_dense_replace: m.optionalInt('{arch}.leading_dense_block_count') ?? 0,
    norm_topk_prob: m.optionalBool('{arch}.expert_weights_norm') ?? false,
    routed_scaling_factor: m.optionalNumber('{arch}.expert_weights_scale') || 1,
    score_function: 'sigmoid',
    n_group: groups,
    topk_group: m.optionalInt('{arch}.expert_group_used_count') || groups,
  }
}
