/**
 * Pre-norm (Xiong and others, arXiv 2002.04745; GPT-2): the norm is in front of each part, and what is added to is never normed. The sum runs through all
 * layers as it is, and gradients with it.
 */
import { add } from 'latentkit/attention'
import { decoder } from './gpt.mjs'

export const title = 'decoder, pre-norm (GPT-2)'

export function build(bench, sizes) {
  return decoder(bench, sizes, { join: preNorm, last: true })
}

const preNorm = (bench, x, part, norm) => add(bench, x, part(norm(bench, x)))
