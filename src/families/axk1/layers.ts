/** What the layers have that the common fields of a config.json do not say. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { firstInt, HIDDEN, SIZE } from '../describe/fields.ts'
import { vector, withOwn } from '../describe/own-weights.ts'
import type { LayerVariant, Variation } from '../describe/variants.ts'
import type { LayerDescriptor } from '../descriptor.ts'

export const axk1Layers: LayerVariant = { modelTypes: ['axk1'], fields: [], read: expertNorms }

/** A norm on what experts return. */
function expertNorms(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Variation> {
  const norm = vector('norm of experts', firstInt(raw, HIDDEN, SIZE))
  return { layers: layers.map(l => (l.mlp.kind === 'moe' ? withOwn(l, [norm]) : l)) }
}
