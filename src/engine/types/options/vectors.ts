/** Options of `engine.embed` and `engine.rerank`. */
import { anyText, callback, choice, flag, type OptionTable, signal, text, whole } from '../../../options/kinds.ts'

/** How a text's vector is made of its tokens' last hidden states: their mean, the last token's, or the first's. */
export type Pooling = 'mean' | 'last' | 'cls'

/** Options of `engine.embed`. What is not given is as the model's files say (`ModelInfo.embedding`). */
export interface EmbedOptions {
  /** How a vector is made of its tokens. */
  readonly pooling?: Pooling
  /** Divide vectors by their length, so that a dot product is the cosine. */
  readonly normalize?: boolean
  /**
   * Take the first n numbers of each vector, then normalise: for models trained so (matryoshka, arXiv 2205.13147). Default: all.
   */
  readonly dimensions?: number
  /** A name in `ModelInfo.embedding.prompts`: its text is put before each text. Default: the model's default prompt. */
  readonly promptName?: string
  /** Put before each text, in place of the model's prompts; '' is none. */
  readonly prompt?: string
  /** Cut a text that is too long at its end. Default false: it is an error. */
  readonly truncate?: boolean
  /** Ends the work: `embed` rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Hears how many texts are done, 20 times a second at most, and at the end. What it throws is lost. */
  readonly onProgress?: (progress: EmbedProgress) => void
}

/** Options of `engine.rerank`. */
export interface RerankOptions {
  /** Return the best n documents. Default: all. */
  readonly topN?: number
  /** Cut a document that is too long at its end. Default false: it is an error. */
  readonly truncate?: boolean
  /** Ends the work: `rerank` rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Hears how many documents are done, 20 times a second at most, and at the end. What it throws is lost. */
  readonly onProgress?: (progress: EmbedProgress) => void
}

/** Progress of `engine.embed` and `engine.rerank`. */
export interface EmbedProgress {
  /** Texts that are done. */
  readonly texts: number
  /** All texts of the call. */
  readonly total: number
}

const VECTOR_WORK = {
  truncate: { kind: flag, description: 'cut a text that is too long at its end', flag: '--truncate' },
  onProgress: { kind: callback, description: 'hears how many texts are done' },
  signal: { kind: signal, description: 'ends the work' },
} as const

export const EMBED_OPTIONS = {
  pooling: {
    kind: choice(['mean', 'last', 'cls']),
    description: 'how a vector is made of its tokens',
    defaultText: 'as the model says',
    flag: '--pooling <mode>',
  },
  normalize: { kind: flag, description: 'divide vectors by their length', defaultText: 'as the model says' },
  dimensions: {
    kind: whole(1),
    description: 'the first n numbers of each vector, normalised again (matryoshka)',
    defaultText: 'all',
    flag: '--dimensions <n>',
  },
  promptName: {
    kind: text,
    description: "one of the model's own prompts, put before each text",
    defaultText: "the model's",
    flag: '--prompt-name <name>',
  },
  prompt: { kind: anyText, description: 'put before each text', flag: '--prompt <text>' },
  ...VECTOR_WORK,
} satisfies OptionTable<EmbedOptions>

export const RERANK_OPTIONS = {
  topN: { kind: whole(1), description: 'the best n documents only', defaultText: 'all', flag: '--top-n <n>' },
  ...VECTOR_WORK,
} satisfies OptionTable<RerankOptions>
