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
  /** Keys and values come from one projection; both are kept. Default false. */
  readonly oneProjection?: boolean
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

/**
 * A layer that keeps a state of fixed size for each sequence instead of a row for each token: delta rules, short
 * convolutions.
 */
export interface StateShape {
  readonly kind: 'state'
  /** For people: `delta rule 16 x 128 x 128`. */
  readonly name: string
  /** What tensor-parallel ranks divide. */
  readonly nHeads: number
  /** Of one sequence in one layer, in f32: recurrent matrices, and the rows that convolutions look back at. */
  readonly numbers: number
  readonly weights: readonly OwnWeight[]
}

/** Tensors that only some families have. */
export interface OwnWeight {
  readonly name: string
  readonly role: 'matrix' | 'router' | 'vector' | 'lookup'
  readonly rows: number
  readonly cols: number
  /** What tensor-parallel ranks divide; absent: each rank keeps all of it. */
  readonly split?: 'rows' | 'cols'
}

/** Sparse attention (DeepSeek-V3.2): a small key per token and layer, by which each query chooses `topK` tokens. */
export interface IndexerShape {
  readonly nHeads: number
  readonly headDim: number
  readonly topK: number
  /** Takes the choice of the layer before: no weights and no keys of its own. Default false. */
  readonly shared?: boolean
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
  readonly attention: AttentionShape | StateShape
  /** Keys a query sees, itself included; null: all before it. */
  readonly window: number | null
  readonly indexer: IndexerShape | null
  readonly mlp: DenseShape | MoeShape
  /** Reads the keys and values of an earlier layer: keeps no rows and projects none. Default false. */
  readonly sharesRows?: boolean
  /** Beside attention, MLP and norms. Default: none. */
  readonly own?: readonly OwnWeight[]
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
  /** Which of `layers` each layer of the model is, first to last. Default: one kind after the other. */
  readonly order?: readonly number[]
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
  /** Of the whole model, beside embedding, layers and output. Default: none. */
  readonly own?: readonly OwnWeight[]
  /** What changes memory and is not counted, or may be counted wrongly. Default: nothing. */
  readonly unknown?: readonly Unknown[]
  /** One sentence each: what was assumed. */
  readonly notes: readonly string[]
}

/** Something that a config.json says and the planner does not understand. */
export interface Unknown {
  /** Its name in the file. */
  readonly field: string
  /** Which numbers of the plan are in doubt. */
  readonly affects: 'cache' | 'weights' | 'both'
  /** What is left out, or what was assumed in its place. */
  readonly reason: string
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
  return model.layers.reduce((n, l) => n + (l.attention.kind === 'state' ? 0 : l.count * l.attention.nHeads), 0)
}

/** Layers that are alike become one kind, so that a model of 61 layers reads as two lines. */
export function mergeKinds(layers: readonly LayerKind[]): Pick<PlanModel, 'layers' | 'order'> {
  const kinds = new Map<string, LayerKind>()
  const keys: string[] = []
  for (const layer of layers) {
    const { count, ...shape } = layer
    const key = JSON.stringify(shape)
    kinds.set(key, { ...layer, count: count + (kinds.get(key)?.count ?? 0) })
    for (let i = 0; i < count; i++) keys.push(key)
  }
  const names = [...kinds.keys()]
  const order = keys.map(key => names.indexOf(key))
  const mixed = order.some((kind, i) => i > 0 && kind < (order[i - 1] as number))
  return { layers: [...kinds.values()], ...(mixed && { order }) }
}

/** Each layer as a kind of its own, first to last. */
export function layersInOrder({ layers, order }: Pick<PlanModel, 'layers' | 'order'>): LayerKind[] {
  const kinds = order ?? layers.flatMap((l, i) => Array.from({ length: l.count }, () => i))
  return kinds.map(i => ({ ...(layers[i] as LayerKind), count: 1 }))
}
