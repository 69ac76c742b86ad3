/** What the layers have that the common fields of a config.json do not say. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { SIZE } from '../describe/fields.ts'
import type { LayerVariant, Variation } from '../describe/variants.ts'
import type { LayerDescriptor } from '../descriptor.ts'

export const longcatFlashLayers: LayerVariant = {
  modelTypes: ['longcat_flash'],
  fields: ['zero_expert_num', 'expert_ffn_hidden_size'],
  read: twoAttentions,
}

/**
 * Two attentions and two MLPs in each layer, which are two layers here, and experts beside the first MLP. Some of these return their
 * input: they have no weights and are chosen like the others.
 */
function twoAttentions(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Variation> {
  const dense: LayerDescriptor['mlp'] = { kind: 'dense', size: raw.int('ffn_hidden_size', SIZE) }
  const idle = raw.int('zero_expert_num', { max: 1 << 16, default: 0 })
  return {
    layers: layers.flatMap(({ mlp, ...rest }): LayerDescriptor[] => {
      const layer = { ...rest, mlp: dense }
      return [mlp.kind === 'moe' ? { ...layer, beside: { ...mlp, ...(idle > 0 && { idle }) } } : layer, layer]
    }),
  }
}
