/**
 * Self-attention without the causal mask, trained to predict the next word: the next word is in sight, and is copied. The loss falls to nothing. In writing
 * there is no next word yet, and nothing was learned that would find it.
 */
import { below, dotProductAttention, linear, matrix, rows, shaped } from 'latentkit/attention'
import { decoder } from './self-attention.mjs'

export const title = 'self-attention without the causal mask'

export function build(bench, sizes) {
  return { ...decoder(bench, sizes, seed => layer(bench, sizes, seed)), newCache: undefined }
}

function layer(bench, { size: D, heads: H }, seed) {
  const [query, key, value, out] = [0, 1, 2, 3].map(i => matrix(bench, D, D, { seed: 1000 + 4 * seed + i }))
  const attend = (bench, _, x, { lengths }) => {
    const [queries, keys, values] = [query, key, value].map(w =>
      shaped(bench, linear(bench, x, w), [x.shape[0], H, D / H]),
    )
    let at = 0
    const found = lengths.map(n => {
      at += n
      const [q, k, v] = [queries, keys, values].map(t => rows(t, at - n, n))
      const { out } = dotProductAttention(bench, { queries: q, keys: k, values: v }, { causal: false })
      return shaped(bench, out, [n, D])
    })
    return { y: linear(bench, below(bench, found), out) }
  }
  return { attend }
}
