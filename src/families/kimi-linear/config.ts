/** Kimi Linear (arXiv 2510.26692): Kimi Delta Attention in most layers, in the others MLA that rotates nothing; DeepSeek-V3's experts. */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Family } from '../family.ts'
import { GATED_MLP, HUB_NAMES, LATENT } from '../names.ts'
import { readActivation, rmsEps } from '../read/common.ts'
import { kimiDelta, kimiDeltaNames } from '../read/delta.ts'
import { type Routing, runnable } from '../runnable.ts'
import { kimiLinear as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const COUNT = { min: 1, max: 1 << 16 } as const
const KERNEL = { min: 1, max: 32 } as const

export const kimiLinear: Family = {
  traits: traits.kimiLinear,
  gguf,
  hubClass: 'KimiLinearForCausalLM',
  names: {
    ...HUB_NAMES,
    attention: LATENT,
    // transformers ties nothing, whatever config.json says.
    ownOutput: true,
    delta: kimiDeltaNames('self_attn.', {
      decay: ['self_attn.f_a_proj', 'self_attn.f_b_proj'],
      gate: ['self_attn.g_a_proj', 'self_attn.g_b_proj'],
      rateShape: heads => [1, 1, heads, 1],
    }),
    moe: {
      router: 'block_sparse_moe.gate',
      selectionBias: 'block_sparse_moe.gate.e_score_correction_bias',
      expert: 'block_sparse_moe.experts.{expert}.',
      mlp: { gate: 'w1', up: 'w3', down: 'w2' },
      shared: 'block_sparse_moe.shared_experts.',
      sharedMlp: GATED_MLP,
    },
  },
  config(raw, model) {
    const eps = rmsEps(raw, 1e-5)
    if (readActivation(raw, 'hidden_act', 'silu') !== 'silu') raw.fail('hidden_act', 'silu')
    if (!raw.bool('mla_use_nope', { default: true })) {
      throw new UnsupportedModelError(
        `${raw.file}: kimi_linear whose MLA rotates (mla_use_nope false) is not supported.`,
      )
    }
    refuseSuccessors(raw)
    const { heads, dim, kernel } = deltaSizes(raw)
    return runnable(raw, model, {
      ...{ attention: 'latent', eps, activation: 'silu', routing: readRouting(raw) },
      maxPositions: raw.int('model_max_length', {
        min: 1,
        max: 1 << 28,
        default: raw.int('max_position_embeddings', { min: 1, max: 1 << 28, default: 2048 }),
      }),
      state: kimiDelta({ heads, dim, kernel }, { lowRank: dim, decayFloor: 0, normEps: eps }),
    })
  },
}

/** Fields of Kimi-K3, whose text part has this `model_type` too. */
const SUCCESSORS = ['attn_res_block_size', 'mla_use_output_gate', 'routed_expert_hidden_size', 'latent_moe_use_norm']
const IN_LINEAR = ['gate_lower_bound', 'use_full_rank_gate']

function refuseSuccessors(raw: ConfigReader): void {
  const inner = raw.optionalObject('linear_attn_config')
  const own = SUCCESSORS.find(key => raw.raw(key)) ?? IN_LINEAR.find(key => inner?.raw(key))
  if (own === undefined) return
  throw new UnsupportedModelError(
    `${raw.file}: "${own}" is a part of Kimi-K3, which is not supported; latentkit runs Kimi-Linear.`,
  )
}

/** As published, or as transformers 5 has them. */
function deltaSizes(raw: ConfigReader) {
  const published = raw.optionalObject('linear_attn_config')
  if (!published) {
    const [heads, dim] = [raw.int('linear_num_heads', COUNT), raw.int('linear_head_dim', COUNT)]
    return { heads, dim, kernel: raw.int('linear_conv_kernel_dim', { ...KERNEL, default: 4 }) }
  }
  const counted = [...published.ints('kda_layers'), ...(published.optionalInts('full_attn_layers') ?? [])]
  if (new Set(counted).size !== counted.length) published.fail('kda_layers', 'no layer of full_attn_layers, each once')
  const [heads, dim] = [published.int('num_heads', COUNT), published.int('head_dim', COUNT)]
  return { heads, dim, kernel: published.int('short_conv_kernel_size', KERNEL) }
}

function readRouting(raw: ConfigReader): Routing {
  raw.oneOf('moe_router_activation_func', ['sigmoid'], { default: 'sigmoid' })
  const groups = raw.optionalInt('num_expert_group', COUNT) ?? raw.int('n_group', { ...COUNT, default: 1 })
  return {
    scoring: 'sigmoid',
    groups,
    topkGroups: raw.int('topk_group', { min: 1, max: groups, default: 1 }),
    groupScore: 'top2',
    normalise: raw.optionalBool('moe_renormalize') ?? raw.bool('norm_topk_prob', { default: true }),
    scale: raw.number('routed_scaling_factor', { min: 0, exclusiveMin: true, default: 2.446 }),
  }
}
