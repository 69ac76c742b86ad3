/**
 * What a model is, in the field's own words: the result of reading a `config.json`, validated once, readonly from
 * then on. Everything that differs between families is data here, so that the decoder is one text for all of them.
 */

import { UnsupportedModelError } from '../errors.ts'
import type { Activation, GateClamp, RouteOptions } from '../kernels/contract/operation-options.ts'
import type { AttentionConfig, GroupedAttentionConfig } from './attention/config.ts'
import type { DistanceBiasConfig } from './attention/distance-bias.ts'
import type { RopeConfig } from './attention/rope.ts'
import type { StateConfig } from './states/config.ts'

/** Gated: down(act(gate x) * (up x)); else down(act(up x)). */
export interface DenseMlpConfig {
  readonly kind: 'dense'
  readonly size: number
  readonly activation: Activation
  readonly gated: boolean
}

/** A router and gated experts, of which each token takes `topK`. */
export interface MoeConfig extends Omit<RouteOptions, 'bias'> {
  readonly kind: 'moe'
  readonly nExperts: number
  readonly topK: number
  readonly expertSize: number
  /** Width of the one MLP that stands for all shared experts; 0: none. */
  readonly sharedSize: number
  readonly activation: Activation
  /** `e_score_correction_bias` exists and takes part in the choice. */
  readonly selectionBias: boolean
  /** In place of the activation, gates and up within a limit (gpt-oss). Default: the activation. */
  readonly clamp?: GateClamp
  /** What `limitedGate` keeps gates and up of the experts and of the shared ones within (Ling 3.0). Default: they have no limit. */
  readonly limits?: { readonly experts: number | null; readonly shared: number | null }
  /** The router and each expert's projections add a bias (gpt-oss). Default false. */
  readonly biased?: boolean
  /** Experts that return their input (LongCat): the router's last rows choose them, and they have no weights. Default 0. */
  readonly idle?: number
  /**
   * Experts beside an MLP that read the stream itself, as their router does, each with a norm, and join what the MLP returns, each with a norm; every
   * expert has a factor of its own (Gemma 4). Default: they read what the MLP reads, and the stream has what they return behind the next layer.
   */
  readonly ofStream?: boolean
}

export type MlpConfig = DenseMlpConfig | MoeConfig

/** One layer. Layers of one model may differ in all of it. */
export interface LayerConfig {
  /** How tokens are mixed: by attention, or by a state that a layer carries in its place. */
  readonly attention: AttentionConfig | StateConfig
  /** Index into `ropes`; null: no rotary positions in this layer. */
  readonly rope: number | null
  /** What queries have in its place where they grow with their position, and their part without rope. Default: they do not. */
  readonly queryRope?: { readonly rotated: number; readonly still: number | null }
  /** Keys a query sees, itself included; null: all before it. */
  readonly window: number | null
  /** Attention to what an encoder made of a source text, between the layer's own and its MLP. Default: none. */
  readonly cross?: GroupedAttentionConfig
  readonly mlp: MlpConfig
  /** Experts beside the MLP, of every token as well (LongCat, Gemma 4). Default: none. */
  readonly beside?: MoeConfig
  /** Later layers read its keys and values. Default false. */
  readonly isRead?: boolean
}

/**
 * How a layer's parts are joined.
 * - `pre`: x += attention(norm(x)); x += mlp(norm(x)). GPT-2, Llama, DeepSeek
 * - `sandwich`: x += norm(attention(norm(x))); x += norm(mlp(norm(x))). Gemma 3
 * - `parallel`: x += attention(norm(x)) + mlp(norm(x)), one norm. Falcon
 * - `post`: x = norm(x + attention(x)); x = norm(x + mlp(x)). GPT
 * - `after`: x += norm(attention(x)); x += norm(mlp(x)). OLMo 2
 */
export type BlockOrder = 'pre' | 'sandwich' | 'parallel' | 'post' | 'after'

/** Vectors of tokens for each layer, in one table, and a projection of the embedding that joins them. */
export interface LayerInputsConfig {
  /** Numbers of one layer's vector. */
  readonly width: number
  /** Rows of the table. */
  readonly vocabSize: number
  readonly activation: Activation
}

/** What an encoder has and a decoder has not. Its tokens see the whole text, and it has no output of its own. */
export interface EncoderConfig {
  /** Kinds of tokens, each with a vector that is added to the embedding (BERT: which of two texts); 0: none. */
  readonly tokenTypes: number
  /** Row of the learned positions that position 0 has (RoBERTa: 2). */
  readonly firstPosition: number
  /** What the vector of the first token is turned into: `scores` numbers, after a layer with tanh; null: nothing. */
  readonly head: { readonly scores: number; readonly dense: boolean } | null
  /** A norm on the sum of embeddings. Default true. */
  readonly embeddingNorm?: boolean
}

export interface ModelConfig {
  /** `model_type` as published. */
  readonly modelType: string
  readonly vocabSize: number
  /** D */
  readonly hiddenSize: number
  /** L */
  readonly nLayers: number
  /** Layers here that files and other programs count as one, which has so many attentions (LongCat: 2). Default 1. */
  readonly layersInOne?: number
  /** Positions the model was made for. */
  readonly maxPositions: number
  /** Those that it has learned from, where it takes more. Default: all. */
  readonly trainedPositions?: number
  readonly ropes: readonly RopeConfig[]
  readonly layers: readonly LayerConfig[]
  readonly blockOrder: BlockOrder
  readonly norm: { readonly kind: 'rms' | 'layer'; readonly eps: number }
  /** Norms in front of attention and of experts have a gate of this rank (A.X-K2). Default: none. */
  readonly gatedNormRank?: number
  /** Factor of the embeddings (Gemma sqrt(D), MiniCPM `scale_emb`). */
  readonly embeddingScale: number
  /** Factor of each block's output before it joins the stream (MiniCPM `scale_depth` / sqrt(L)). */
  readonly residualScale: number
  /** Factor of the logits (MiniCPM `dim_model_base` / D). */
  readonly logitScale: number
  /** Logits stay within this on both sides of 0: cap tanh(logit / cap) (Gemma 4). Default: they are as they come. */
  readonly logitCap?: number
  /** Behind each layer's MLP, what a vector of the token for this layer adds (Gemma 4). Default: nothing. */
  readonly layerInputs?: LayerInputsConfig
  /** What leaves a layer is multiplied by a number of its own (Gemma 4). Default false. */
  readonly layerScales?: boolean
  /** A learned vector per position is added to the embedding (GPT). */
  readonly learnedPositions: boolean
  /** Fixed vectors of sines, then cosines, are added to the embedding (arXiv 1706.03762, section 3.5; Marian). Default false. */
  readonly sinusoidalPositions?: boolean
  /** All layers add to their scores what the distance of query and key says (T5). Default: none does. */
  readonly distanceBias?: DistanceBiasConfig
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
  /** Set for a model that turns texts into vectors and writes none (BERT). Default: a decoder. */
  readonly encoder?: EncoderConfig
  /** Set for an encoder-decoder: what reads the source text that all layers' cross-attention looks at. Default: there is none. */
  readonly source?: SourceConfig
}

/** The encoder of an encoder-decoder, and how its decoder begins. */
export interface SourceConfig {
  readonly encoder: ModelConfig
  /** The encoder's embedding is the decoder's. */
  readonly sharedEmbedding: boolean
  /** The token that every text begins with, before those that are written; null: config.json names none. */
  readonly startTokenId: number | null
}

/** Whether it attends, to keys that are cached of each token. */
export function attends(attention: LayerConfig['attention']): attention is AttentionConfig {
  return attention.kind === 'latent' || attention.kind === 'grouped'
}

/** Some layer carries a state in place of keys. */
export function hasStates({ layers }: ModelConfig): boolean {
  return layers.some(layer => !attends(layer.attention))
}

export type AttendingLayer = LayerConfig & { readonly attention: AttentionConfig }

/** Of a layer that attends. Throws UnsupportedModelError for one that carries a state: callers that ask have no use for it. */
export function attentionOf({ attention }: Pick<LayerConfig, 'attention'>): AttentionConfig {
  if (attends(attention)) return attention
  throw new UnsupportedModelError(`A layer that carries a state (${attention.kind}) has no attention to compute with`)
}

/** A layer that attends. Throws as `attentionOf` does. */
export function attendingLayer({ layers }: Pick<ModelConfig, 'layers'>, index: number): AttendingLayer {
  const layer = layers[index] as LayerConfig
  return { ...layer, attention: attentionOf(layer) }
}

/**
 * How all layers attend, that of the first; null where they do not attend alike, or some do not. Which of them share a choice of keys does not
 * count.
 */
export function commonAttention({ layers }: ModelConfig): AttentionConfig | null {
  const [first, ...others] = layers.map(layer => layer.attention)
  if (!first || !attends(first)) return null
  const written = (a: LayerConfig['attention']) =>
    JSON.stringify(a, (key, value) => (key === 'shared' ? undefined : value))
  const alike = (a: LayerConfig['attention']) => a === first || written(a) === written(first)
  return others.every(alike) ? first : null
}

/** Query heads of the layer that has the most. */
export function maxHeads({ layers }: ModelConfig): number {
  return Math.max(1, ...layers.map(layer => (attends(layer.attention) ? layer.attention.nHeads : 0)))
}

/** Keys that a query chooses at most, where layers have indexers; else 0. */
export function maxChosen({ layers }: Pick<ModelConfig, 'layers'>): number {
  const chosen = layers.map(({ attention: a }) => (a.kind === 'latent' ? (a.indexer?.topK ?? 0) : 0))
  return Math.max(0, ...chosen)
}

/** Layers as far as their MLPs and experts go, of a config or of a descriptor. */
interface LayersWithExperts<E> {
  readonly layers: readonly { readonly mlp: E | { readonly kind: 'dense' }; readonly beside?: E }[]
}

/** Of the layers that have some, first to last: of those in place of their MLP, or beside it. */
export function expertsOf(config: Pick<ModelConfig, 'layers'>): MoeConfig[]
export function expertsOf<E extends { readonly kind: 'moe' }>(descriptor: LayersWithExperts<E>): E[]
export function expertsOf<E extends { readonly kind: 'moe' }>({ layers }: LayersWithExperts<E>): E[] {
  return layers.flatMap(({ mlp, beside }) => beside ?? (mlp.kind === 'moe' ? mlp : []))
}

export function hasExperts(config: ModelConfig): boolean {
  return expertsOf(config).length > 0
}

/** Some layer's rows depend on the path of MLA that computed them. */
export function hasLatents({ layers }: ModelConfig): boolean {
  return layers.some(layer => layer.attention.kind === 'latent')
}
