/**
 * Latents without positions (DeepSeek-V2, arXiv 2405.04434, section 2.1.2): keys and values of all heads are made from one latent per word, and only the
 * latent is cached. Nothing stands between W_UQ and W_UK, so that queries can be absorbed; but no word knows where it is.
 */
import { latentLayer } from 'latentkit/attention'
import { decoder } from './llama.mjs'
import { latentSizes } from './mla.mjs'

export const title = 'MLA without rope'

export function build(bench, sizes) {
  return decoder(bench, sizes, seed => latentLayer(bench, { ...latentSizes(sizes), ropeTheta: null, seed }))
}
