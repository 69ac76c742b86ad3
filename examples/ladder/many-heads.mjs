/**
 * Many heads (arXiv 1706.03762, section 3.2.2): the same numbers as one wide head, cut into heads of a few numbers each. One softmax is one reading of a
 * text; several heads have several at once, in the same layer.
 */
import { groupedLayer } from 'latentkit/attention'
import { decoder } from './self-attention.mjs'

export const title = 'self-attention, many heads'

export function build(bench, sizes) {
  const { size, heads } = sizes
  return decoder(bench, sizes, seed => groupedLayer(bench, { hiddenSize: size, nHeads: heads, ropeTheta: null, seed }))
}
