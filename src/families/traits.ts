/** What a config.json leaves unsaid of its family's blocks, as far as it decides sizes. */
import type { JsonObject } from '../checkpoint/json-file.ts'
import type { BiasShape, NormShape } from './descriptor.ts'

export interface Traits {
  readonly norm: NormShape
  readonly bias: BiasShape
  readonly gated: boolean
  readonly sinks: boolean
  /** Unless the file says otherwise. */
  readonly tiedEmbeddings: boolean
  readonly learnedPositions: boolean
  /** Makes vectors and writes no texts: it has no cache. Default false. */
  readonly encoder?: boolean
  /** No bias on the attention's output, whatever `attention_bias` says. */
  readonly plainOutput: boolean
  /** `attention_bias`, where the file has no such field. Default false. */
  readonly attentionBias?: boolean
  /** `use_bias` switches all biases; its value where the file has no such field. Default: there is no such switch. */
  readonly oneBiasSwitch?: boolean
  /** First layers without experts, where the file does not say how many. Default 0. */
  readonly firstDense?: number
  /** Every layer has experts: `mlp_only_layers` and `decoder_sparse_step` are not read. Default false. */
  readonly expertsEverywhere?: boolean
  /** Where the file names none. Default: hidden size / heads. */
  readonly headDim?: number
  /** Heads of keys and values where the file has no such field; null there means as many as query heads. Default: as many. */
  readonly kvHeads?: number
  /** Shared experts where the file has no such field. Default 0. */
  readonly sharedExperts?: number
  /** The window's length where the file has no such field; null there means none. Default: none. */
  readonly window?: number
  /** Every so many layers one is without the window, where the file does not say which. Default: none is. */
  readonly windowPattern?: number
  /** Of an encoder-decoder: which fields say the sizes of its two stacks. Default: a decoder alone. */
  readonly sides?: Sides
  /** Routers have a bias for the choice, or none, whatever the fields look like. */
  readonly selectionBias?: boolean
}

/** What descriptors call an encoder-decoder's biases of distances. */
export const DISTANCES = 'biases of distances'

/** Fields of one stack. */
export interface SideFields {
  /** The first that the file has. */
  readonly layers: readonly string[]
  readonly heads: string
  /** Width of the MLP. */
  readonly mlp: string
}

/** Fields of an encoder-decoder. */
export interface Sides {
  readonly encoder: SideFields
  readonly decoder: SideFields
  /** Size of a head. Default: hidden size / heads. */
  readonly headDim?: string
  /** Begins with `gated-` where MLPs are gated. Default: as the traits say. */
  readonly gatedBy?: string
  /** Buckets of distances, each with a bias for every head of the stack's first layer. Default: none. */
  readonly distances?: string
  /** Size of the decoder's vocabulary, where it is not the encoder's. */
  readonly targetVocab?: string
  /** Whether both have one embedding. Default: they have. */
  readonly share?: string
  /** Positions it has learned from, where no field says so. Default: not known. */
  readonly positions?: number
  /** Fields that change no size. */
  readonly others?: readonly string[]
  /** Logits have a bias. Default false. */
  readonly logitsBias?: boolean
  /** Says of newer files whether the output is the embedding, which `tie_word_embeddings` always claims there. */
  readonly tiedBy?: string
}

/** `model_type` values, as published, and what is other than in Llama. */
export interface FamilyTraits extends Partial<Omit<Traits, 'norm' | 'bias'>> {
  readonly modelTypes: readonly string[]
  /**
   * Fields that `text_config` of a model around it may leave out, as transformers' class fills them in (5.24): files of older versions have there what
   * differs only. Default: none.
   */
  readonly inside?: JsonObject
  readonly norm?: Partial<NormShape>
  readonly bias?: Partial<BiasShape>
}

/** Llama, and a family that is not known. */
const LLAMA: Traits = {
  norm: { kind: 'rms', perLayer: 2, final: true, qk: false },
  bias: { qkv: false, attentionOut: false, mlp: false, router: false, output: false },
  gated: true,
  sinks: false,
  tiedEmbeddings: false,
  learnedPositions: false,
  plainOutput: false,
}

export const ALL_BIASES = { qkv: true, attentionOut: true, mlp: true } as const

export function completeTraits(family: FamilyTraits | undefined): Traits {
  if (!family) return LLAMA
  const { modelTypes: _, inside: __, norm, bias, ...others } = family
  return { ...LLAMA, ...others, norm: { ...LLAMA.norm, ...norm }, bias: { ...LLAMA.bias, ...bias } }
}
