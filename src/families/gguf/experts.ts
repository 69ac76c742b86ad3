/** Routed experts in llama.cpp's files. */
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { TensorNaming } from '../../checkpoint/gguf/tensor-naming.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import type { ModelConfig, MoeConfig } from '../../nn/config.ts'
import { denseSize } from './common.ts'
import { HEADS, SIZE } from './ranges.ts'

/** `expert_gating_func` */
export const SOFTMAX = 1
export const SIGMOID = 2

/** All experts of a layer are one tensor. */
export const STACKED_EXPERTS: NonNullable<TensorNaming['experts']> = {
  expert: 'mlp.experts.{expert}.',
  modules: {
    ffn_gate_exps: ['gate_proj'],
    ffn_up_exps: ['up_proj'],
    ffn_down_exps: ['down_proj'],
    ffn_gate_up_exps: ['gate_proj', 'up_proj'],
  },
}

/** Without shared experts beside them, and without groups. */
export const ROUTED_NAMING = { inLayer: { ffn_gate_inp: 'mlp.gate' }, experts: STACKED_EXPERTS } as const

export function expertSizes(m: Metadata): JsonObject {
  const experts = m.int('{arch}.expert_count', { min: 1, max: HEADS.max })
  return {
    num_experts: experts,
    num_experts_per_tok: m.int('{arch}.expert_used_count', { min: 1, max: experts }),
    moe_intermediate_size: m.int('{arch}.expert_feed_forward_length', SIZE),
  }
}

export function addExpertSizes(keys: GgufKeys, { nExperts, topK, expertSize }: MoeConfig): void {
  keys.u32('{arch}.expert_count', nExperts)
  keys.u32('{arch}.expert_used_count', topK)
  keys.u32('{arch}.expert_feed_forward_length', expertSize)
}

/**
 * Of models whose first layers are dense, with shared experts beside the others and routing like DeepSeek's. `predictions`: modules of multi-token
 * prediction, which are layers here.
 */
export function addExpertKeys(keys: GgufKeys, config: ModelConfig, predictions: number): void {
  const { layers, nLayers } = config
  const firstOfExperts = layers.findIndex(layer => layer.mlp.kind === 'moe')
  keys.u32('{arch}.leading_dense_block_count', firstOfExperts < 0 ? nLayers + predictions : firstOfExperts)
  const moe = layers[firstOfExperts]?.mlp
  if (moe?.kind !== 'moe') {
    keys.u32('{arch}.expert_shared_count', 0)
    keys.u32('{arch}.expert_feed_forward_length', denseSize(config))
    return
  }
  keys.u32('{arch}.expert_count', moe.nExperts)
  keys.u32('{arch}.expert_used_count', moe.topK)
  keys.u32('{arch}.expert_shared_count', moe.sharedSize / moe.expertSize)
  keys.u32('{arch}.expert_feed_forward_length', moe.expertSize)
  addRoutingKeys(keys, moe)
}

function addRoutingKeys(keys: GgufKeys, { scale, normalise, scoring, groups, topkGroups }: MoeConfig): void {
  keys.f32('{arch}.expert_weights_scale', scale)
  keys.bool('{arch}.expert_weights_norm', normalise || undefined)
  keys.u32('{arch}.expert_gating_func', scoring === 'sigmoid' ? SIGMOID : SOFTMAX)
  if (groups === 1) return
  keys.u32('{arch}.expert_group_count', groups)
  keys.u32('{arch}.expert_group_used_count', topkGroups)
}
