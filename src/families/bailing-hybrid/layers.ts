/** What the layers have that the common fields of a config.json do not say. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { firstInt, HIDDEN, SIZE } from '../describe/fields.ts'
import { split, withOwn } from '../describe/own-weights.ts'
import type { LayerVariant, Variation } from '../describe/variants.ts'
import type { LayerDescriptor } from '../descriptor.ts'

const GATE = 'gated_attention_proj_granularity_type'

export const bailingHybridLayers: LayerVariant = {
  modelTypes: ['bailing_hybrid'],
  fields: [
    ...['layer_group_size', 'no_kda_lora', 'short_conv_kernel_size', 'linear_num_heads', 'linear_head_dim', GATE],
    // What the engine reads or refuses, which changes no size.
    ...[
      'use_kda_lora',
      'mtp_use_kda',
      'linear_silu',
      'group_norm_size',
      'num_kv_heads_for_linear_attn',
      'use_mla_nope',
    ],
    ...['expert_swiglu_limit_list', 'share_expert_swiglu_limit_list', 'up_proj_norm', 'value_norm', 'use_qkv_bias'],
  ],
  read: headGates,
}

/** Each head's output, or each number of it, is gated in the layers that attend. */
function headGates(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Variation> {
  const D = firstInt(raw, HIDDEN, SIZE)
  const by = raw.optionalString(GATE)
  if (by === undefined) return {}
  return {
    layers: layers.map(l => {
      const { attention: a } = l
      if (a.kind !== 'latent') return l
      return withOwn(l, [split('attention gate', by === 'head_wise' ? a.nHeads : a.nHeads * a.vHeadDim, D)])
    }),
  }
}
