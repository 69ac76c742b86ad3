import type { ConfigReader } from '../checkpoint/config-reader.ts'
import type { ModelConfig } from '../nn/config.ts'
import type { BiasGroup } from './biases.ts'
import type { ModelDescriptor } from './descriptor.ts'
import type { Architecture } from './gguf/architecture.ts'
import type { FamilyTraits } from './traits.ts'

/** What a family of models adds: how its config.json reads, how its tensors are called, and its form in GGUF. */
export interface Family {
  readonly traits: FamilyTraits
  /** Throws ConfigError on a field that is missing or absurd, UnsupportedModelError on a variant not run here. */
  readonly config: (raw: ConfigReader, model: ModelDescriptor) => ModelConfig
  readonly names: TensorNames
  /** llama.cpp's architecture for it. Default: there is none. */
  readonly gguf?: Architecture
  /** transformers' class, for a config.json made of a GGUF file. */
  readonly hubClass?: string
  /** Models that see or hear and have this one inside (`text_config`), by their `model_type`. Default: none. */
  readonly insideOf?: readonly string[]
  /** Biases that transformers' class has. Default: none. */
  readonly hubBiases?: readonly BiasGroup[]
}

/**
 * Names of a checkpoint's modules; a tensor is the module's name with `.weight` or `.bias`. `{layer}` and `{expert}`
 * stand for numbers, `{part}` for which one it is of the layers here that the files count as one. Layer modules follow `layer`, those of an
 * expert follow `expert`.
 */
export interface TensorNames {
  /** Tried in this order: some copies of a model drop or add a prefix. */
  readonly prefixes: readonly string[]
  readonly embedding: string
  readonly positions?: string
  readonly finalNorm?: string
  /** Where an encoder and its decoder have embeddings of their own, this one's. Default: they share one. */
  readonly ownEmbedding?: string
  /** Never prefixed. */
  readonly output: string
  /** Files may have an output of their own where config.json says that it is the embedding. Default false. */
  readonly ownOutput?: boolean
  /** Never prefixed; the tensor itself, [1, vocabulary]. Default: the output module's bias. */
  readonly outputBias?: string
  /** The first layer's biases of distances. */
  readonly distanceBias?: string
  readonly layer: string
  readonly attentionNorm: string
  readonly mlpNorm?: string
  readonly attentionOutNorm?: string
  readonly mlpOutNorm?: string
  readonly attention: GroupedNames | LatentNames
  /** Of layers that carry a state in place of attention. */
  readonly convolution?: ConvolutionNames
  readonly delta?: DeltaRuleNames
  readonly mlp: MlpNames
  readonly moe?: ExpertNames
  /** Rope turns neighbours in the hub's files as well, so that rows of q and k have one order everywhere. */
  readonly neighbours?: boolean
  /** Matrices are stored [inputs, outputs]. */
  readonly transposed?: boolean
  /** Parts of a norm with a gate. */
  readonly gatedNorm?: { readonly norm: string; readonly down: string; readonly up: string }
  /** Norm weights are stored less this number (Gemma: 1). */
  readonly normOffset?: number
  readonly layerInputs?: LayerInputNames
  /** The tensor itself: a factor of what leaves the layer. */
  readonly layerScale?: string
  /** A module of multi-token prediction beside the layers. Default: as in DeepSeek-V3, it is a layer past the last. */
  readonly prediction?: PredictionNames
  /** The norm in front of the output, of such a module that is a layer past the last. Default: as in DeepSeek-V3. */
  readonly predictionNorm?: string
  readonly encoder?: EncoderNames
  /** In a layer with cross-attention. */
  readonly cross?: CrossNames
  /** Of an encoder-decoder, whose decoder the names above are of: its encoder's. */
  readonly source?: TensorNames
  /** Tensors that plain decoding has no use for, beside those of layers past the last. */
  readonly ignored?: readonly RegExp[]
}

/** Of vectors that tokens have for each layer; the last three follow `layer`. */
export interface LayerInputNames {
  readonly table: string
  readonly projection: string
  readonly projectionNorm: string
  readonly gate: string
  readonly out: string
  readonly norm: string
}

/** Of a module of multi-token prediction, of which there is one or none; the others follow `at`, which is never prefixed. */
export interface PredictionNames {
  readonly at: string
  readonly layer: string
  readonly embeddingNorm: string
  readonly hiddenNorm: string
  readonly join: string
  readonly norm: string
  /** What its layer calls otherwise than the model's layers. Default: nothing. */
  readonly inLayer?: Pick<TensorNames, 'attentionNorm' | 'attention' | 'mlpNorm' | 'mlp'>
}

export interface ExpertNames {
  readonly router: string
  /** The tensor itself, not a module. */
  readonly selectionBias: string
  /** Files may have the bias or not, whatever config.json says. Default false. */
  readonly biasAtWill?: boolean
  readonly expert: string
  readonly shared: string
  /** Default: as in the others. */
  readonly sharedMlp?: MlpNames
  /** A number for each token that weighs the shared experts. Default: there is none. */
  readonly sharedGate?: string
  readonly mlp: MlpNames
  /** Tensors [E, rows] with the biases of all experts' projections. Default: experts have none. */
  readonly biases?: { readonly gate: string; readonly up: string; readonly down: string }
  /** A norm on what experts return, the shared one included. */
  readonly outNorm?: string
  /** Of experts that read the stream itself: tensors in front of the router and of each expert's factor, then modules of norms. */
  readonly ofStream?: {
    readonly routerNorm: string
    readonly factors: string
    readonly in: string
    readonly out: string
    readonly mlpOut: string
  }
}

/** Of an encoder's parts around its layers. */
export interface EncoderNames {
  readonly tokenTypes: string
  readonly embeddingNorm: string
  /** Prefixed or not. */
  readonly headDense: string
  /** Never prefixed. */
  readonly headOut: string
}

export interface GroupedNames {
  readonly qkv: readonly [string] | readonly [string, string, string]
  readonly queryNorm?: string
  readonly keyNorm?: string
  /** The tensor itself: a logit per head. */
  readonly sinks?: string
  readonly out: string
}

export interface CrossNames {
  readonly norm: string
  readonly qkv: readonly [string, string, string]
  readonly out: string
}

export interface LatentNames {
  readonly queryDown: string
  readonly queryDownNorm: string
  readonly queryUp: string
  /** Where there is no down-projection of the query. */
  readonly query: string
  readonly keyValueDown: string
  readonly latentNorm: string
  readonly keyValueUp: string
  /** Where the up-projections are apart, as in GGUF: [H C, N] and [H V, C]. */
  readonly keyUp: string
  readonly valueUp: string
  /** A number for each head. Default: there is none. */
  readonly headGate?: string
  readonly out: string
  /** Of an indexer. Default: the family has none. */
  readonly indexer?: {
    readonly query: string
    readonly key: string
    readonly keyNorm: string
    readonly weights: string
  }
}

export interface ConvolutionNames {
  readonly in: string
  readonly kernel: string
  readonly out: string
}

/**
 * Each of q, k and v by itself, or one for all; matrices of a low rank are two, one behind the other. Where the first matrix has the
 * gate too, and beta's has the decay, those have no names.
 */
export interface DeltaRuleNames {
  readonly qkv: readonly [string] | readonly [string, string, string]
  readonly kernels: readonly [string] | readonly [string, string, string]
  readonly beta: string
  readonly decay: readonly string[]
  /** The tensors themselves, not modules: logarithms of rates, and what is added to the decay's projection. */
  readonly decayRate: string
  readonly decayBias: string
  /** Of the rates in the hub's files. Default: [H]. */
  readonly rateShape?: (heads: number) => readonly number[]
  readonly gate: readonly string[]
  /** What the first matrix and the gate's are called in files that have them apart (llama.cpp's). Default: no file has. */
  readonly apart?: { readonly qkv: string; readonly gate: string }
  readonly norm: string
  readonly out: string
}

export interface MlpNames {
  readonly gate?: string
  /** With `joined`, one matrix with the gate's rows in front of its own. */
  readonly up: string
  readonly joined?: boolean
  /** `up` where the MLP has no gate, in families with both. Default: as `up`. */
  readonly ungated?: string
  readonly down: string
}
