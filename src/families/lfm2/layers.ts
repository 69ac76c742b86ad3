/** What the layers have that the common fields of a config.json do not say. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { COUNT } from '../describe/fields.ts'
import type { LayerVariant, Variation } from '../describe/variants.ts'
import type { LayerDescriptor } from '../descriptor.ts'

export const lfm2Layers: LayerVariant = {
  modelTypes: ['lfm2'],
  fields: ['block_auto_adjust_ff_dim', 'block_ffn_dim_multiplier', 'block_multiple_of', 'block_ff_dim'],
  read: roundedWidth,
}

/** MLPs have two thirds of the width that the file names, rounded up. */
function roundedWidth(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Variation> {
  if (!raw.bool('block_auto_adjust_ff_dim', { default: true })) return {}
  const factor = raw.optionalNumber('block_ffn_dim_multiplier', { min: 0, max: 100 }) ?? 1
  const multiple = raw.int('block_multiple_of', { ...COUNT, default: 256 })
  const rounded = (size: number) => multiple * Math.ceil(Math.floor(factor * Math.floor((2 * size) / 3)) / multiple)
  return {
    layers: layers.map(l => (l.mlp.kind === 'dense' ? { ...l, mlp: { ...l.mlp, size: rounded(l.mlp.size) } } : l)),
  }
}
