/** Multiplications of one more token behind cached ones, in one layer, by each path of MLA. */
import type { ReadingLayer } from '../../../../src/browser.ts'

/** Cached tokens for which costs are shown. */
export const BEHIND = 10_000

/** The projections that both paths share are left out. */
export function multiplications(layer: ReadingLayer, path: 'expanded' | 'absorbed', cached: number): number {
  const { heads, keySize, valueSize, sharedKeySize } = layer
  const C = layer.latentSize ?? 0
  const N = keySize - sharedKeySize
  return path === 'expanded'
    ? // Every latent becomes keys and values of all heads, then queries meet keys, and shares values.
      cached * heads * (C * (N + valueSize) + keySize + valueSize)
    : // The query goes to the latents' space and what was found comes back; between, all happens there.
      heads * C * (N + valueSize) + cached * heads * (C + sharedKeySize + C)
}
