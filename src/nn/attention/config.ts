/** The two kinds of attention and their sizes. */

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
  /** (N + R)^-0.5, times YaRN's m squared where the model has it. */
  readonly softmaxScale: number
  /** eps of the norms on the query's and the key-value latent. */
  readonly latentNormEps: number
  /**
   * Rows of the down-projections are so small that this eps swamps their mean square: the norms are a constant factor, which their
   * weights undo. So models that were trained without such norms are written (`src/latentify`). Default false.
   */
  readonly constantNorm?: boolean
}

/** transformers and DeepSeek's own code leave these norms at their default, whatever `rms_norm_eps` says. */
export const LATENT_NORM_EPS = 1e-6

export type AttentionConfig = GroupedAttentionConfig | LatentAttentionConfig

/** Numbers cached per token and layer: C + R for a latent, keys and values of the kv heads otherwise. */
export function cacheElements(attention: AttentionConfig): number {
  return attention.kind === 'latent'
    ? attention.kvLoraRank + attention.qkRopeHeadDim
    : 2 * attention.nKvHeads * attention.headDim
}

/** Width of what the heads together hand to the output projection. */
export function attendedSize(attention: AttentionConfig): number {
  return attention.nHeads * (attention.kind === 'latent' ? attention.vHeadDim : attention.headDim)
}
