import type { AttentionConfig } from '../nn/attention/config.ts'
import type { MlpConfig, ModelConfig } from '../nn/config.ts'

/**
 * Floating-point operations of products in a step that learns texts of these lengths: two for each multiplication of the forward pass, four
 * for those of the backward pass. What is computed twice to save memory counts once.
 */
export function flopsOf({ layers, hiddenSize, vocabSize }: ModelConfig, lengths: readonly number[]): number {
  const tokens = lengths.reduce((sum, n) => sum + n, 0)
  const pairs = lengths.reduce((sum, n) => sum + (n * (n + 1)) / 2, 0)
  let multiplications = tokens * vocabSize * hiddenSize
  for (const { attention, mlp } of layers) {
    multiplications += tokens * (projections(attention, hiddenSize) + ofMlp(mlp, hiddenSize))
    multiplications += pairs * perPair(attention)
  }
  return 6 * multiplications
}

/** Of one token, in one layer. */
function projections(a: AttentionConfig, D: number): number {
  if (a.kind === 'grouped') return D * a.headDim * (2 * a.nHeads + 2 * a.nKvHeads)
  const { nHeads: H, qLoraRank: Q, kvLoraRank: C, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V } = a
  const queries = H * (N + R)
  return (Q === null ? D * queries : Q * (D + queries)) + D * (C + R) + C * H * (N + V) + H * V * D
}

function ofMlp(c: MlpConfig, D: number): number {
  if (c.kind === 'dense') return D * c.size * (c.gated ? 3 : 2)
  return D * (c.nExperts + 3 * (c.topK * c.expertSize + c.sharedSize))
}

/** Of one query and one key, in one layer. */
function perPair(a: AttentionConfig): number {
  if (a.kind === 'grouped') return 2 * a.nHeads * a.headDim
  return a.nHeads * (a.qkNopeHeadDim + a.qkRopeHeadDim + a.vHeadDim)
}
