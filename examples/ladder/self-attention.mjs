/**
 * Self-attention (arXiv 1706.03762, section 3.2): a word's vector becomes a weighted sum of the vectors of its text. What is compared and what is summed are
 * learned projections, queries, keys and values, divided by sqrt(d); a word sees those before it only (the causal mask), since it has to predict the next.
 */
import { activate, add, attend, createCache, embed, groupedLayer, linear, matrix } from 'latentkit/attention'

export const title = 'self-attention, one wide head'

export function build(bench, sizes) {
  return decoder(bench, sizes, seed =>
    groupedLayer(bench, { hiddenSize: sizes.size, nHeads: 1, ropeTheta: null, seed }),
  )
}

/** Layers of attention, which `attention(seed)` makes, and of MLPs, added to what they read. No norms yet. */
export function decoder(bench, { words, size: D, layers: L, seed }, attention) {
  const [embedding, places] = [words, 256].map((n, i) => matrix(bench, n, D, { seed: seed + i, deviation: 0.5 }))
  const blocks = Array.from({ length: L }, (_, i) => ({
    attention: attention(seed + 10 * i + 2),
    up: matrix(bench, 3 * D, D, { seed: seed + 10 * i + 3 }),
    down: matrix(bench, D, 3 * D, { seed: seed + 10 * i + 4 }),
  }))
  const out = matrix(bench, words, D, { seed: seed + 5 })

  return {
    newCache: bench =>
      createCache(
        bench,
        blocks.map(({ attention }) => attention),
      ),
    /** Logits of what follows each word: of several texts of these lengths, or of one that continues what a cache has. */
    logits(bench, ids, { lengths = [ids.length], cache }) {
      const first = cache?.length ?? 0
      const where = lengths.flatMap(n => Array.from({ length: n }, (_, t) => first + t))
      let x = add(bench, embed(bench, embedding, ids), embed(bench, places, where))
      for (const { attention, up, down } of blocks) {
        x = add(bench, x, (attention.attend ?? attend)(bench, attention, x, cache ? { cache } : { lengths }).y)
        x = add(bench, x, linear(bench, activate(bench, linear(bench, x, up), 'gelu'), down))
      }
      return linear(bench, x, out)
    },
  }
}
