/** Routed experts in llama.cpp's files. */
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { TensorNaming } from '../../checkpoint/gguf/tensor-naming.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import type { MoeConfig } from '../../nn/config.ts'
import { HEADS, SIZE } from './ranges.ts'

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
