/** What the layers have that the common fields of a config.json do not say. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { firstInt, HIDDEN, SIZE } from '../describe/fields.ts'
import { split, vector, withOwn } from '../describe/own-weights.ts'
import type { LayerVariant, Variation } from '../describe/variants.ts'
import type { LayerDescriptor, OwnWeight } from '../descriptor.ts'

/** Of Qwen2-MoE, too, which is planned only. */
export const qwenLayers: LayerVariant = {
  modelTypes: ['qwen2_moe', 'qwen3_5_text', 'qwen3_5_moe_text', 'qwen3_next'],
  fields: ['attn_output_gate', 'shared_expert_intermediate_size'],
  read: qwenGates,
}

/** A gate as wide as the queries, from the same projection, and a number that weighs the shared expert. */
function qwenGates(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Variation> {
  const D = firstInt(raw, HIDDEN, SIZE)
  const gated = raw.bool('attn_output_gate', { default: raw.has('linear_num_value_heads') })
  const biased = raw.bool('attention_bias', { default: false })
  return {
    layers: layers.map(l => {
      const { attention: a, mlp } = l
      return withOwn(l, [
        ...(gated && a.kind === 'grouped' ? gateOf(a.nHeads * a.keyDim, D, biased) : []),
        ...(mlp.kind === 'moe' && mlp.sharedSize > 0 ? [vector('shared expert gate', D)] : []),
      ])
    }),
  }
}

function gateOf(width: number, D: number, biased: boolean): OwnWeight[] {
  return [split('attention gate', width, D), ...(biased ? [vector('gate bias', width)] : [])]
}
