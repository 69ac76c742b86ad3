/**
 * Multi-query attention (Shazeer, arXiv 1911.02150): every head asks, and all look at one key and one value. The cache is as many times smaller as there are
 * heads.
 */
import { groupedLayer } from 'latentkit/attention'
import { decoder, ropeTheta } from './llama.mjs'

export const title = 'MQA: one key and value for all heads'

export function build(bench, sizes) {
  const { size, heads } = sizes
  return decoder(bench, sizes, seed =>
    groupedLayer(bench, { hiddenSize: size, nHeads: heads, nKvHeads: 1, ropeTheta, seed }),
  )
}
