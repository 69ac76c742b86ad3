import type { AttentionConfig } from '../nn/attention/config.ts'
import { attentionOf, type LayerConfig, type MlpConfig, type ModelConfig } from '../nn/config.ts'
import { predictionLayer } from '../nn/prediction.ts'

/** What of a model learns. */
export interface LearnedWork {
  /** Modules of multi-token prediction that learn with it. Default 0. */
  readonly predictions?: number
  /** Numbers of an adapter's matrices, all of which multiply each token. Default 0. */
  readonly adapterNumbers?: number
  /** Of the model's own matrices, how many are learned, 0 to 1. Default 1. */
  readonly learned?: number
}

/**
 * Floating-point operations of products in a step that learns texts of these lengths: two for each multiplication of the forward pass, two for
 * those of its inputs' gradients, and two for those of the weights' where these are learned. What is computed twice to save memory counts once.
 */
export function flopsOf(config: ModelConfig, lengths: readonly number[], work: LearnedWork = {}): number {
  const { predictions = 0, adapterNumbers = 0, learned = 1 } = work
  const { layers, hiddenSize: D, vocabSize } = config
  const output = vocabSize * D
  let own = tokensOf(lengths) * (output + adapterNumbers)
  let attended = 0
  for (const layer of layers) {
    own += tokensOf(lengths) * perToken(layer, D)
    attended += pairsOf(lengths) * perPair(attentionOf(layer))
  }
  const last = predictionLayer(config)
  for (let k = 1; k <= predictions; k++) {
    // Each predicts one token further than the one before.
    const left = lengths.map(n => Math.max(0, n - k))
    own += tokensOf(left) * (2 * D * D + perToken(last, D) + output)
    attended += pairsOf(left) * perPair(attentionOf(last))
  }
  const adapters = tokensOf(lengths) * adapterNumbers
  return 4 * own + 2 * (learned * (own - adapters) + adapters) + 6 * attended
}

function tokensOf(lengths: readonly number[]): number {
  return lengths.reduce((sum, n) => sum + n, 0)
}

/** Queries with the keys that each sees. */
function pairsOf(lengths: readonly number[]): number {
  return lengths.reduce((sum, n) => sum + (n * (n + 1)) / 2, 0)
}

function perToken(layer: LayerConfig, D: number): number {
  return projections(attentionOf(layer), D) + ofMlp(layer.mlp, D)
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
