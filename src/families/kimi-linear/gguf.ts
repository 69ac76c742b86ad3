/** Kimi Linear in llama.cpp's files. */
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { expertsOf } from '../../nn/config.ts'
import type { Architecture, GgufModel } from '../gguf/architecture.ts'
import { decoderConfig, headCount, padToken } from '../gguf/common.ts'
import { addExpertKeys, SIGMOID } from '../gguf/experts.ts'
import { latentSizes } from '../gguf/latent.ts'
import { LATENT } from '../gguf/naming.ts'
import { HEADS, SIZE } from '../gguf/ranges.ts'
import { addKimiDeltaKeys, attendingOf, kimiDeltaWarnings, stateLayers, stateOf } from '../gguf/states.ts'

export const kimiLinear: Architecture = {
  name: 'kimi-linear',
  splitsKeyValueUp: true,
  decayRates: -1,
  naming: {
    ...LATENT,
    inLayer: {
      ...LATENT.inLayer,
      ssm_conv1d_q: 'self_attn.q_conv1d',
      ssm_conv1d_k: 'self_attn.k_conv1d',
      ssm_conv1d_v: 'self_attn.v_conv1d',
      ssm_f_a: 'self_attn.f_a_proj',
      ssm_f_b: 'self_attn.f_b_proj',
      ssm_g_a: 'self_attn.g_a_proj',
      ssm_g_b: 'self_attn.g_b_proj',
      ssm_beta: 'self_attn.b_proj',
      ssm_a: 'self_attn.A_log',
      'ssm_dt.bias': 'self_attn.dt_bias',
      ssm_norm: 'self_attn.o_norm',
      ffn_gate_inp: 'block_sparse_moe.gate',
      'exp_probs_b.bias': 'block_sparse_moe.gate.e_score_correction_bias',
      exp_probs_b: 'block_sparse_moe.gate.e_score_correction_bias',
      ffn_gate_shexp: 'block_sparse_moe.shared_experts.gate_proj',
      ffn_up_shexp: 'block_sparse_moe.shared_experts.up_proj',
      ffn_down_shexp: 'block_sparse_moe.shared_experts.down_proj',
    },
    experts: {
      expert: 'block_sparse_moe.experts.{expert}.',
      modules: {
        ffn_gate_exps: ['w1'],
        ffn_up_exps: ['w3'],
        ffn_down_exps: ['w2'],
        ffn_gate_up_exps: ['w1', 'w3'],
      },
    },
  },
  shownAttention: attendingOf,
  warnings: kimiDeltaWarnings,
  addKeys(keys, config) {
    const attention = attendingOf(config)
    if (attention?.kind !== 'latent' || expertsOf(config).length === 0 || !stateOf(config, 'delta')) {
      throw new UnsupportedModelError(
        "llama.cpp's architecture kimi-linear has layers with a state, layers that attend and layers of experts, this model not all three",
      )
    }
    addKimiDeltaKeys(keys, config)
    addExpertKeys(keys, config, 0)
    // No rope, and keys of heads have its part all the same.
    keys.u32('{arch}.rope.dimension_count', attention.qkRopeHeadDim)
  },
  config(model) {
    const { metadata: m } = model
    const { max_position_embeddings: positions, ...base } = decoderConfig(model)
    return {
      ...base,
      ...padToken(m),
      ...latentSizes(m),
      ...experts(model),
      ...deltaSizes(model),
      model_type: 'kimi_linear',
      num_key_value_heads: base.num_attention_heads,
      model_max_length: positions,
      mla_use_nope: true,
    }
  },
}

function experts({ metadata: m }: GgufModel): JsonObject {
  const count = m.int('{arch}.expert_count', { min: 1, max: HEADS.max })
  m.int('{arch}.expert_gating_func', { min: SIGMOID, max: SIGMOID })
  const groups = m.optionalInt('{arch}.expert_group_count') || 1
  return {
    num_experts: count,
    num_experts_per_token: m.int('{arch}.expert_used_count', { min: 1, max: count }),
    num_shared_experts: m.optionalInt('{arch}.expert_shared_count') ?? 0,
    moe_intermediate_size: m.int('{arch}.expert_feed_forward_length', SIZE),
    first_k_dense_replace: m.optionalInt('{arch}.leading_dense_block_count') ?? 0,
    moe_layer_freq: 1,
    // llama.cpp knows no other.
    moe_renormalize: true,
    moe_router_activation_func: 'sigmoid',
    routed_scaling_factor: m.optionalNumber('{arch}.expert_weights_scale') || 1,
    use_grouped_topk: true,
    num_expert_group: groups,
    topk_group: m.optionalInt('{arch}.expert_group_used_count') || groups,
  }
}

function deltaSizes(model: GgufModel): JsonObject {
  const { metadata: m, tensors } = model
  const states = stateLayers(model, 'ssm_a')
  // Counted from 1.
  const numbers = (carries: boolean) => states.flatMap((is, i) => (is === carries ? [i + 1] : []))
  const dim = m.int('{arch}.kda.head_dim', SIZE)
  const biases = tensors.get(`blk.${states.indexOf(true)}.ssm_dt.bias`)?.shape[0]
  return {
    linear_attn_config: {
      full_attn_layers: numbers(false),
      kda_layers: numbers(true),
      head_dim: dim,
      num_heads: biases === undefined ? headCount(m) : Math.max(1, Math.round(biases / dim)),
      short_conv_kernel_size: m.int('{arch}.ssm.conv_kernel', { min: 1, max: 32 }),
    },
  }
}
