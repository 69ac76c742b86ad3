/**
 * Multi-head Latent Attention (DeepSeek-V2, arXiv 2405.04434, section 2.1 and appendix C): one latent per word for keys and values of all heads, and beside it a
 * small key that carries rope, shared by the heads. Both are cached and nothing else is. Learning makes keys and values from latents; writing absorbs
 * queries into the latents' space, so that no key is ever made.
 */
import { latentLayer } from 'latentkit/attention'
import { decoder, ropeTheta } from './llama.mjs'

export const title = 'MLA: decoupled rope'

/** The latent is as wide as three heads, the rope key as one: together the four, two keys and two values, that GQA with two groups caches. */
export function latentSizes({ size, heads }) {
  const head = size / heads
  const [qkNopeHeadDim, qkRopeHeadDim, vHeadDim] = [head, head, head]
  return { hiddenSize: size, nHeads: heads, kvLoraRank: 3 * head, qkNopeHeadDim, qkRopeHeadDim, vHeadDim, ropeTheta }
}

export function build(bench, sizes) {
  return decoder(bench, sizes, seed => latentLayer(bench, { ...latentSizes(sizes), seed }))
}
