/**
 * Attention without anything learned: words are compared by the dot products of their own vectors, and these are summed. Whatever a word is to look for, it
 * finds what is like itself, most of all itself. The rung behind it learns queries, keys and values.
 */
import { below, dotProductAttention, rows, shaped } from 'latentkit/attention'
import { decoder } from './self-attention.mjs'

export const title = 'self-attention by plain dot products'

export function build(bench, sizes) {
  return { ...decoder(bench, sizes, () => ({ attend })), newCache: undefined }
}

function attend(bench, _, x, { lengths }) {
  let at = 0
  const found = lengths.map(n => {
    at += n
    const own = shaped(bench, rows(x, at - n, n), [n, 1, x.shape[1]])
    const { out } = dotProductAttention(bench, { queries: own, keys: own, values: own })
    return shaped(bench, out, [n, x.shape[1]])
  })
  return { y: below(bench, found) }
}
