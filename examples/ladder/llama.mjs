/**
 * Llama's decoder (arXiv 2302.13971): norms that only divide by the root mean square, positions as rotations of queries and keys (RoPE, arXiv
 * 2104.09864), and a gated MLP (SwiGLU, arXiv 2002.05202). From here on only attention changes.
 */
import { add, attend, createCache, embed, gate, groupedLayer, linear, matrix, norm, vector } from 'latentkit/attention'

export const title = 'RMSNorm, RoPE, SwiGLU (Llama): MHA'

/** Base of rope's angles. Texts have some fifty words, so that 10,000 would hardly rotate most pairs. */
export const ropeTheta = 100

export function build(bench, sizes) {
  const { size, heads } = sizes
  return decoder(bench, sizes, seed => groupedLayer(bench, { hiddenSize: size, nHeads: heads, ropeTheta, seed }))
}

/** A decoder whose layers of attention `attention(seed)` makes, and whose MLPs `mlp(seed)`, if not SwiGLU. */
export function decoder(bench, { words, size: D, layers: L, seed }, attention, mlp = seed => swiGlu(bench, D, seed)) {
  const embedding = matrix(bench, words, D, { seed, deviation: 0.5 })
  const out = matrix(bench, words, D, { seed: seed + 1 })
  const lastNorm = vector(bench, D, 1)
  const blocks = Array.from({ length: L }, (_, i) => ({
    attentionNorm: vector(bench, D, 1),
    attention: attention(seed + 10 * i + 2),
    mlpNorm: vector(bench, D, 1),
    mlp: mlp(seed + 10 * i + 3),
  }))

  return {
    /** For one text. */
    newCache: bench =>
      createCache(
        bench,
        blocks.map(({ attention }) => attention),
      ),
    embed: (bench, ids) => embed(bench, embedding, ids),
    /** The logits of what follows each word. */
    output: (bench, x) => linear(bench, norm(bench, x, lastNorm), out),
    /** What the blocks make of vectors x [T, D]: of several texts of these lengths, or of one that continues what a cache has. */
    states(bench, x, { lengths, cache }) {
      for (const { attentionNorm, attention, mlpNorm, mlp } of blocks) {
        const normed = norm(bench, x, attentionNorm)
        x = add(bench, x, (attention.attend ?? attend)(bench, attention, normed, cache ? { cache } : { lengths }).y)
        x = add(bench, x, mlp(bench, norm(bench, x, mlpNorm)))
      }
      return x
    },
    logits(bench, ids, at) {
      return this.output(bench, this.states(bench, this.embed(bench, ids), at))
    },
  }
}

/** W_down (silu(W_gate x) * W_up x) */
export function swiGlu(bench, D, seed, width = 2 * D) {
  const [gates, up] = [0, 1].map(i => matrix(bench, width, D, { seed: 1000 + 3 * seed + i }))
  const down = matrix(bench, D, width, { seed: 1002 + 3 * seed })
  return (bench, x) => linear(bench, gate(bench, linear(bench, x, gates), linear(bench, x, up), 'silu'), down)
}
