/**
 * What a model is, in the field's own words: the result of reading a `config.json`, validated once, readonly from
 * then on. Everything that differs between families is data here, so that `forward` is one text for all of them.
 */

import type { Activation, RouteOptions } from '../kernels/contract/operations.ts'
import type { AttentionConfig } from './attention/config.ts'
import type { RopeConfig } from './attention/rope.ts'

export interface MoeConfig extends Omit<RouteOptions, 'bias'> {
  readonly nExperts: number
  readonly topK: number
  readonly expertSize: number
  /** Width of the one MLP that stands for all shared experts; 0: none. */
  readonly sharedSize: number
  /** `e_score_correction_bias` exists and takes part in the choice. */
  readonly selectionBias: boolean
}

export interface LayerConfig {
  /** Index into `ropes`; null: no rotary positions in this layer. */
  readonly rope: number | null
  /** Keys a query sees, itself included; null: all before it. */
  readonly window: number | null
  readonly mlp: 'dense' | 'moe'
}

/**
 * How a layer's parts are joined.
 * - `pre`: x += attention(norm(x)); x += mlp(norm(x)). GPT-2, Llama, DeepSeek
 * - `sandwich`: x += norm(attention(norm(x))); x += norm(mlp(norm(x))). Gemma 3
 * - `parallel`: x += attention(norm(x)) + mlp(norm(x)), one norm. Falcon
 * - `post`: x = norm(x + attention(x)); x = norm(x + mlp(x)). GPT
 */
export type BlockOrder = 'pre' | 'sandwich' | 'parallel' | 'post'

export interface ModelConfig {
  /** `model_type` as published. */
  readonly modelType: string
  readonly vocabSize: number
  /** D */
  readonly hiddenSize: number
  /** L */
  readonly nLayers: number
  /** Positions the model was made for. */
  readonly maxPositions: number
  readonly attention: AttentionConfig
  readonly ropes: readonly RopeConfig[]
  readonly layers: readonly LayerConfig[]
  readonly blockOrder: BlockOrder
  readonly norm: { readonly kind: 'rms' | 'layer'; readonly eps: number }
  /** Dense MLP. Gated: down(act(gate x) * (up x)); else down(act(up x)). */
  readonly mlp: { readonly size: number; readonly activation: Activation; readonly gated: boolean }
  readonly moe: MoeConfig | null
  /** Factor of the embeddings (Gemma sqrt(D), MiniCPM `scale_emb`). */
  readonly embeddingScale: number
  /** Factor of each block's output before it joins the stream (MiniCPM `scale_depth` / sqrt(L)). */
  readonly residualScale: number
  /** Factor of the logits (MiniCPM `dim_model_base` / D). */
  readonly logitScale: number
  /** A learned vector per position is added to the embedding (GPT). */
  readonly learnedPositions: boolean
  readonly finalNorm: boolean
  /**
   * Projections whose bias config.json announces: it must be there. Others have one where the files do. `qkv`: q, k, v, or
   * an MLA's down-projections.
   */
  readonly bias: { readonly qkv: boolean; readonly attentionOut: boolean; readonly mlp: boolean }
  readonly tiedEmbeddings: boolean
  readonly bosTokenId: number | null
  /** Any of them ends a text. */
  readonly eosTokenIds: readonly number[]
}
