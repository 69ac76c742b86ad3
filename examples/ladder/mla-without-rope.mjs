/**
 * Latents without positions (DeepSeek-V2, arXiv 2405.04434, section 2.1.2): keys and values of all heads are made from one latent per word. Nothing
 * stands between W_UQ and W_UK, so that queries can be absorbed; but no word knows where it is. The paper's latent would be cached alone; here the small
 * shared key of the rung `mla` is there already, and nothing rotates it, so that both cache as much and differ by rope only.
 */
import { latentLayer } from 'latentkit/attention'
import { decoder } from './llama.mjs'
import { latentSizes } from './mla.mjs'

export const title = 'MLA without rope'

export function build(bench, sizes) {
  return decoder(bench, sizes, seed => latentLayer(bench, { ...latentSizes(sizes), ropeTheta: null, seed }))
}
