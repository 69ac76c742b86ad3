/** What the layers have that the common fields of a config.json do not say. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { firstInt, HIDDEN, SIZE } from '../describe/fields.ts'
import { matrix, split, withOwn } from '../describe/own-weights.ts'
import type { LayerVariant, Variation } from '../describe/variants.ts'
import type { LayerDescriptor, OwnWeight } from '../descriptor.ts'

export const axk2Layers: LayerVariant = { modelTypes: ['axk2'], fields: ['gated_norm_rank'], read: gatedNorms }

/** Norms gated by a low-rank product, in front of every attention and of experts; q and a gate from both latents. */
function gatedNorms(raw: ConfigReader, layers: readonly LayerDescriptor[]): Partial<Variation> {
  const [D, rank] = [firstInt(raw, HIDDEN, SIZE), raw.int('gated_norm_rank', SIZE)]
  const gate: OwnWeight[] = [matrix('norm gate down', rank, D), matrix('norm gate up', D, rank)]
  return {
    layers: layers.map(l => {
      const { attention: a } = l
      if (a.kind !== 'latent' || a.qLoraRank === null) return l
      const { nHeads: H, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V, qLoraRank: Q } = a
      const queries = [split('q from the raw latent', H * (N + R), Q), split('attention gate', H * V, 2 * Q)]
      return withOwn(l, [...queries, ...gate, ...(l.mlp.kind === 'moe' ? gate : [])])
    }),
  }
}
