/** Fields of the states as transformers writes them. */
import type { LayerVariant } from '../describe/variants.ts'

export const kimiLinearLayers: LayerVariant = {
  modelTypes: ['kimi_linear'],
  fields: ['linear_num_heads', 'linear_head_dim'],
}
