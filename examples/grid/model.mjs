/** A decoder as the ladder's rungs have it from Llama on, with one kind of attention, and MLPs as wide as leaves it as many numbers as MHA's. */
import { groupedLayer, latentLayer } from 'latentkit/attention'
import { decoder, swiGlu } from '../ladder/llama.mjs'

/** MHA's MLPs are twice as wide as the vectors. */
const WIDTH = 2

/** `as(layer)`: another layer in place of each one of attention. */
export function build(bench, { attention, words, size: D, heads: H, layers, theta, seed }, as = layer => layer) {
  const { kind, from, share, ...sizes } = attention
  const all = { hiddenSize: D, nHeads: H, ropeTheta: theta, ...sizes }
  const layerOf = seed => as((kind === 'latent' ? latentLayer : groupedLayer)(bench, { ...all, seed }))
  // Pooled heads go on with the MLPs that they had.
  const room = from === undefined ? 4 * D * D - numbersOf(kind, all) : 0
  const width = Math.round((room + 3 * D * WIDTH * D) / (3 * D))
  return decoder(bench, { words, size: D, layers, seed }, layerOf, seed => swiGlu(bench, D, seed, width))
}

/** Of a layer's matrices. */
function numbersOf(kind, sizes) {
  const { hiddenSize: D, nHeads: H } = sizes
  if (kind === 'latent') {
    const { kvLoraRank: C, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V } = sizes
    return D * H * (N + R) + D * (C + R) + H * (N + V) * C + D * H * V
  }
  const { nKvHeads: G = H, headDim: d = D / H } = sizes
  return 2 * D * H * d + 2 * D * G * d
}
