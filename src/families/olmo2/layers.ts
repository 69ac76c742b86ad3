/** What the layers have that the common fields of a config.json do not say. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { vector, withOwn } from '../describe/own-weights.ts'
import type { LayerVariant, Variation } from '../describe/variants.ts'
import type { LayerDescriptor } from '../descriptor.ts'

export const olmo2Layers: LayerVariant = { modelTypes: ['olmo2'], fields: [], read: wideNorms }

/** Norms over all heads of q and of k at once. */
function wideNorms(_: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Variation> {
  return {
    layers: layers.map(l => {
      const { attention: a } = l
      return a.kind === 'grouped' ? withOwn(l, [vector('q, k norms', (a.nHeads + a.nKvHeads) * a.keyDim)]) : l
    }),
  }
}
