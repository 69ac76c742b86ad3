/** Grouped-query attention (Ainslie and others, arXiv 2305.13245): groups of heads share a key and a value, here two groups. Between MHA and MQA in everything. */
import { groupedLayer } from 'latentkit/attention'
import { decoder, ropeTheta } from './llama.mjs'

export const title = 'GQA: two groups of heads'

export function build(bench, sizes) {
  const { size, heads } = sizes
  return decoder(bench, sizes, seed =>
    groupedLayer(bench, { hiddenSize: size, nHeads: heads, nKvHeads: 2, ropeTheta, seed }),
  )
}
