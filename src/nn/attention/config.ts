/** The two kinds of attention and their sizes. */

import type { StateConfig } from '../states/config.ts'

/** MHA, GQA and MQA are one thing: `nKvHeads` = `nHeads`, a divisor of it, or 1. */
export interface GroupedAttentionConfig {
  readonly kind: 'grouped'
  readonly nHeads: number
  readonly nKvHeads: number
  readonly headDim: number
  /** Factor of q·k, usually headDim^-0.5. */
  readonly softmaxScale: number
  /** RMSNorm of q and k: its eps; null: none. Each head by itself, before RoPE (Qwen3, Gemma 3), unless the two below say otherwise. */
  readonly qkNormEps: number | null
  /** One norm spans all heads of q, one all of k (OLMo 2). Default false. */
  readonly qkNormWide?: boolean
  /** The norms come after RoPE (Hunyuan). Default false. */
  readonly qkNormLate?: boolean
  /** Each head has one more logit in the denominator of its softmax, without a value (gpt-oss). Default false. */
  readonly sinks?: boolean
  /** The projection of q has as many rows again behind each head's: what the head found is multiplied by their sigmoid. Default false. */
  readonly gated?: boolean
  /** Values are normed, each head by itself and without weights, with `qkNormEps` (Gemma 4). Default false. */
  readonly valueNorm?: boolean
  /** Values are the projection of the keys, before these are normed and rotated (Gemma 4). Default: they have their own. */
  readonly keysAreValues?: boolean
  /** The earlier layer whose keys and values are read: this one projects and keeps none (Gemma 4). Default: its own. */
  readonly keysOf?: number
}

/** Multi-head Latent Attention (DeepSeek-V2, arXiv 2405.04434, eq. 9-19). */
export interface LatentAttentionConfig {
  readonly kind: 'latent'
  readonly nHeads: number
  /** Q: rank of the query's down-projection; null where the query is projected directly (V2-Lite). */
  readonly qLoraRank: number | null
  /** C: numbers of the latent. */
  readonly kvLoraRank: number
  /** N: part of a head without positions. */
  readonly qkNopeHeadDim: number
  /** R: part of a head that rope rotates, its key shared by all heads. */
  readonly qkRopeHeadDim: number
  /** V: value numbers of a head. */
  readonly vHeadDim: number
  /** (N + R)^-0.5, times YaRN's m squared and the query's factor where the model has them. */
  readonly softmaxScale: number
  /** Factor of the normed latent, which is cached with it (LongCat: sqrt(D / C)). Default 1. */
  readonly latentScale?: number
  /** eps of the norms on the query's and the key-value latent. */
  readonly latentNormEps: number
  /**
   * Rows of the down-projections are so small that this eps swamps their mean square: the norms are a constant factor, which their
   * weights undo. So models that were trained without such norms are written (`src/latentify`). Default false.
   */
  readonly constantNorm?: boolean
  /**
   * Queries and a sigmoid gate of what each head found come from one matrix, of the query's normed latent and the latent as it is (A.X-K2).
   * Default false.
   */
  readonly gated?: boolean
  /** Each query attends to the keys that an indexer chooses. Default: to all. */
  readonly indexer?: IndexerConfig
  /** What a head found is multiplied by the sigmoid of a number of its own, a projection of the stream (Ling 3.0). Default false. */
  readonly headGate?: boolean
}

/** Sparse attention (DeepSeek-V3.2, arXiv 2512.02556, section 2.1). Needs a query's latent. */
export interface IndexerConfig {
  readonly nHeads: number
  /** Numbers of each of its queries and of its key; rope rotates the first R. */
  readonly headDim: number
  /** Keys that a query chooses at most. */
  readonly topK: number
  /** Takes what the last layer with an indexer of its own has chosen: no weights and no keys here. */
  readonly shared: boolean
  /** Rope rotates neighbours instead of halves, whatever the layer's heads do. */
  readonly interleaved: boolean
}

/** eps of the LayerNorm on an indexer's keys, whatever `rms_norm_eps` says. */
export const INDEX_NORM_EPS = 1e-6

/** transformers and DeepSeek's own code leave these norms at their default, whatever `rms_norm_eps` says. */
export const LATENT_NORM_EPS = 1e-6

export type AttentionConfig = GroupedAttentionConfig | LatentAttentionConfig

/** Numbers cached per token and layer: C + R and an indexer's key for a latent, keys and values of the kv heads otherwise. */
export function cacheElements(attention: AttentionConfig): number {
  if (attention.kind === 'grouped') {
    return attention.keysOf === undefined ? 2 * attention.nKvHeads * attention.headDim : 0
  }
  return attention.kvLoraRank + attention.qkRopeHeadDim + (ownIndexer(attention)?.headDim ?? 0)
}

/** The indexer that a layer computes itself; null where there is none or another layer's choice is taken. */
export function ownIndexer(attention: AttentionConfig | StateConfig): IndexerConfig | null {
  const indexer = attention.kind === 'latent' ? attention.indexer : undefined
  return indexer && !indexer.shared ? indexer : null
}

/** Width of what the heads together hand to the output projection. */
export function attendedSize(attention: AttentionConfig): number {
  return attention.nHeads * (attention.kind === 'latent' ? attention.vHeadDim : attention.headDim)
}
