/**
 * What a model is, layer by layer, as its config.json says: sizes that decide bytes and multiplications. Wider than what
 * the engine runs (sparse indexers, states, sinks, layers for multi-token prediction); a `ModelConfig` is made of it in
 * `runnable.ts`.
 */

/** MHA, GQA and MQA by `nKvHeads`; keys and values may differ in width, as in an MLA that is cached expanded. */
export interface GroupedShape {
  /** Marks the variant. */
  readonly kind: 'grouped'
  /** Query heads. */
  readonly nHeads: number
  /** Heads of keys and values. */
  readonly nKvHeads: number
  /** Numbers of a key, per head. */
  readonly keyDim: number
  /** Numbers of a value, per head. */
  readonly valueDim: number
  /** Keys and values come from one projection; both are kept. Default false. */
  readonly oneProjection?: boolean
}

/** Multi-head Latent Attention: C, R, N, V and Q as in the paper (DeepSeek-V2, arXiv 2405.04434). */
export interface LatentShape {
  /** Marks the variant. */
  readonly kind: 'latent'
  /** Query heads. */
  readonly nHeads: number
  /** Q; null: the query is projected directly. */
  readonly qLoraRank: number | null
  /** C: numbers of the latent. */
  readonly kvLoraRank: number
  /** R: numbers of the rope key. */
  readonly qkRopeHeadDim: number
  /** N: numbers of a head without positions. */
  readonly qkNopeHeadDim: number
  /** V: numbers of a head's value. */
  readonly vHeadDim: number
}

/** Attention by its sizes. */
export type AttentionShape = GroupedShape | LatentShape

/**
 * A layer that keeps a state of fixed size for each sequence instead of a row for each token: delta rules, short
 * convolutions.
 */
export interface StateShape {
  /** Marks the variant. */
  readonly kind: 'state'
  /** For people: `delta rule 16 x 128 x 128`. */
  readonly name: string
  /** What tensor-parallel ranks divide. */
  readonly nHeads: number
  /** Of one sequence in one layer, in f32: recurrent matrices, and the rows that convolutions look back at. */
  readonly numbers: number
  /** The layer's matrices and vectors. */
  readonly weights: readonly OwnWeight[]
}

/** Tensors that only some families have. */
export interface OwnWeight {
  /** For people, as in the files or the paper. */
  readonly name: string
  /** What the tensor is used for: it decides its stored type, and whether a token reads all of it. */
  readonly role: 'matrix' | 'router' | 'vector' | 'lookup'
  /** Rows of the matrix. */
  readonly rows: number
  /** Columns of the matrix. */
  readonly cols: number
  /** What tensor-parallel ranks divide; absent: each rank keeps all of it. */
  readonly split?: 'rows' | 'cols'
}

/** Sparse attention (DeepSeek-V3.2): a small key per token and layer, by which each query chooses `topK` tokens. */
export interface IndexerShape {
  /** Query heads of the indexer. */
  readonly nHeads: number
  /** Numbers of its key and of each query head. */
  readonly headDim: number
  /** Tokens that a query attends to. */
  readonly topK: number
  /** Takes the choice of the layer before: no weights and no keys of its own. Default false. */
  readonly shared?: boolean
}

/** An MLP that every token passes. */
export interface DenseShape {
  /** Marks the variant. */
  readonly kind: 'dense'
  /** Width. */
  readonly size: number
}

/** Experts, of which each token passes `topK`. */
export interface MoeShape {
  /** Marks the variant. */
  readonly kind: 'moe'
  /** Experts of the layer. */
  readonly nExperts: number
  /** Experts that the router chooses from, where a rank holds only some of them. Default: `nExperts`. */
  readonly routed?: number
  /** Experts that a token passes. */
  readonly topK: number
  /** Width of one expert. */
  readonly expertSize: number
  /** Width of the one MLP that stands for all shared experts; 0: none. */
  readonly sharedSize: number
  /** A number per expert that takes part in the choice only (`e_score_correction_bias`). */
  readonly selectionBias: boolean
  /** Experts behind these that return their input: chosen like them, without weights. Default 0. */
  readonly idle?: number
}

/** One layer. */
export interface LayerDescriptor {
  /** How the layer mixes tokens. */
  readonly attention: AttentionShape | StateShape
  /** Keys a query sees, itself included; null: all before it. */
  readonly window: number | null
  /** Its sparse indexer; null: none. */
  readonly indexer: IndexerShape | null
  /** Its MLP or experts. */
  readonly mlp: DenseShape | MoeShape
  /** Experts beside its MLP, of the same input. Default: none. */
  readonly beside?: MoeShape
  /** Its attention to what an encoder made of a source text, with a norm. Default: none. */
  readonly cross?: GroupedShape
  /** Reads the keys and values of an earlier layer: keeps no rows and projects none. Default false. */
  readonly sharesRows?: boolean
  /** Beside attention, MLP and norms. Default: none. */
  readonly own?: readonly OwnWeight[]
}

/** Which projections add a vector. */
export interface BiasShape {
  /** q, k and v, or an MLA's down-projections. */
  readonly qkv: boolean
  /** The attention's output projection. */
  readonly attentionOut: boolean
  /** Experts included. */
  readonly mlp: boolean
  /** The router's logits. */
  readonly router: boolean
  /** The projection to the vocabulary. */
  readonly output: boolean
}

/** The norms of a model. */
export interface NormShape {
  /** `layer` norms have a bias as well. */
  readonly kind: 'rms' | 'layer'
  /** Norms around attention and MLP in each layer. */
  readonly perLayer: number
  /** Whether a norm precedes the output. */
  readonly final: boolean
  /** Norms over each head of q and k. */
  readonly qk: boolean
}

/** What is the same for all layers, or not of any layer. */
export interface ModelShape {
  /** The `model_type` of config.json. */
  readonly modelType: string
  /** D: width of the residual stream. */
  readonly hiddenSize: number
  /** Rows of the embedding. */
  readonly vocabSize: number
  /** Positions the model was made for; null: unknown. */
  readonly maxPositions: number | null
  /** Its norms. */
  readonly norm: NormShape
  /** Which projections add a bias. */
  readonly bias: BiasShape
  /** MLPs have a gate projection beside up and down. */
  readonly gated: boolean
  /** A learned number per head in each softmax (gpt-oss). */
  readonly sinks: boolean
  /** Whether the output uses the embedding's matrix. */
  readonly tiedEmbeddings: boolean
  /** Rows of a learned table of positions; 0: none. */
  readonly learnedPositions: number
  /** Of the whole model, beside embedding, layers and output. Default: none. */
  readonly own?: readonly OwnWeight[]
  /** What changes memory and is not counted, or may be counted wrongly. Default: nothing. */
  readonly unknown?: readonly Unknown[]
}

/** The encoder of an encoder-decoder. Its norms and biases are as the decoder's. */
export interface SourceShape {
  /** First to last. */
  readonly layers: readonly LayerDescriptor[]
  /** Rows of its embedding. */
  readonly vocabSize: number
  /** The decoder uses the same embedding. */
  readonly sharedEmbedding: boolean
}

export interface ModelDescriptor extends ModelShape {
  /** First to last. */
  readonly layers: readonly LayerDescriptor[]
  /** Set for an encoder-decoder. */
  readonly source?: SourceShape
  /** Multi-token prediction: full layers behind the last, each with a projection of its own. */
  readonly draftLayers: readonly LayerDescriptor[]
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
