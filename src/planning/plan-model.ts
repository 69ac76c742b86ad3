/**
 * What the planner needs to know of a model: sizes that decide bytes and multiplications, nothing of how it computes.
 * Wider than `ModelConfig`, which describes only what the engine runs: sparse indexers, layers that differ in their
 * attention, sinks, draft layers for multi-token prediction.
 */

import type { WeightType } from '../tensor/dtype.ts'

/** MHA, GQA and MQA by `nKvHeads`; keys and values may differ in width, as in an MLA that is cached expanded. */
export interface GroupedShape {
  readonly kind: 'grouped'
  readonly nHeads: number
  readonly nKvHeads: number
  readonly keyDim: number
  readonly valueDim: number
}

/** Multi-head Latent Attention: C, R, N, V and Q as in the paper (DeepSeek-V2, arXiv 2405.04434). */
export interface LatentShape {
  readonly kind: 'latent'
  readonly nHeads: number
  /** Q; null: the query is projected directly. */
  readonly qLoraRank: number | null
  /** C */
  readonly kvLoraRank: number
  /** R */
  readonly qkRopeHeadDim: number
  /** N */
  readonly qkNopeHeadDim: number
  /** V */
  readonly vHeadDim: number
}

export type AttentionShape = GroupedShape | LatentShape

/** Sparse attention (DeepSeek-V3.2): a small key per token and layer, by which each query chooses `topK` tokens. */
export interface IndexerShape {
  readonly nHeads: number
  readonly headDim: number
  readonly topK: number
}

export interface DenseShape {
  readonly kind: 'dense'
  readonly size: number
}

export interface MoeShape {
  readonly kind: 'moe'
  readonly nExperts: number
  /** Experts that the router chooses from, where a rank holds only some of them. Default: `nExperts`. */
  readonly routed?: number
  readonly topK: number
  readonly expertSize: number
  /** Width of the one MLP that stands for all shared experts; 0: none. */
  readonly sharedSize: number
  /** A number per expert that takes part in the choice only (`e_score_correction_bias`). */
  readonly selectionBias: boolean
}

/** Layers that are alike. */
export interface LayerKind {
  readonly count: number
  readonly attention: AttentionShape
  /** Keys a query sees, itself included; null: all before it. */
  readonly window: number | null
  readonly indexer: IndexerShape | null
  readonly mlp: DenseShape | MoeShape
}

/** Which projections add a vector. */
export interface BiasShape {
  /** q, k and v, or an MLA's down-projections. */
  readonly qkv: boolean
  readonly attentionOut: boolean
  /** Experts included. */
  readonly mlp: boolean
  readonly router: boolean
  readonly output: boolean
}

export interface PlanModel {
  readonly name: string
  /** Where the sizes are from: an address, a file. */
  readonly source: string
  readonly modelType: string
  /** D */
  readonly hiddenSize: number
  readonly vocabSize: number
  /** Positions the model was made for; null: unknown. */
  readonly maxPositions: number | null
  readonly layers: readonly LayerKind[]
  /** Multi-token prediction: full layers behind the last, each with a projection of its own. */
  readonly draftLayers: readonly LayerKind[]
  readonly norm: {
    /** `layer` norms have a bias as well. */
    readonly kind: 'rms' | 'layer'
    readonly perLayer: number
    readonly final: boolean
    /** Norms over each head of q and k. */
    readonly qk: boolean
  }
  readonly bias: BiasShape
  /** MLPs have a gate projection beside up and down. */
  readonly gated: boolean
  /** A learned number per head in each softmax (gpt-oss). */
  readonly sinks: boolean
  readonly tiedEmbeddings: boolean
  /** Rows of a learned table of positions; 0: none. */
  readonly learnedPositions: number
  /** Type that the published weights have: a name that `weightFormat` knows. */
  readonly weightDtype: string
  /** Bytes of tensors counted in files, where there are files: they beat what is counted from the sizes. */
  readonly stored: StoredWeights | null
  /** One sentence each: what was assumed, what is not counted. */
  readonly notes: readonly string[]
}

export interface StoredWeights {
  /** Types as the file calls them, most bytes first. */
  readonly dtype: string
  /** Tensors that the engine reads. */
  readonly bytes: number
  /**
   * What the engine holds for them: blocks in tiles, whose scales of 6 bits take 8, rarer blocks as f32, and vectors as
   * f32. null: a model that it does not run.
   */
  readonly engineBytes: number | null
  /** All tensors of the files: layers for multi-token prediction, copies and what else is never asked for. */
  readonly fileBytes: number
  /** Bytes that one token's step reads: of experts only the chosen, of the embedding one row. */
  readonly activeBytes: number
  readonly parameters: number
  /** Of most bytes of the layers' matrices, and of the output: what a step's products run on. */
  readonly matrixType: WeightType
  readonly outputType: WeightType
}

export const NO_BIAS: BiasShape = { qkv: false, attentionOut: false, mlp: false, router: false, output: false }

export function layerCount(layers: readonly LayerKind[]): number {
  return layers.reduce((n, l) => n + l.count, 0)
}

/** One probability matrix per layer and query head. */
export function attentionPatterns(model: PlanModel): number {
  return model.layers.reduce((n, l) => n + l.count * l.attention.nHeads, 0)
}

/** Neighbours in the list that are alike become one kind, so that a model of 61 layers reads as two lines. */
export function mergeKinds(layers: readonly LayerKind[]): LayerKind[] {
  const kinds = new Map<string, LayerKind>()
  for (const layer of layers) {
    const { count, ...shape } = layer
    const key = JSON.stringify(shape)
    kinds.set(key, { ...layer, count: count + (kinds.get(key)?.count ?? 0) })
  }
  return [...kinds.values()]
}
