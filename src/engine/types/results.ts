/** What users of the engine get: texts, and what a model and its cache are. */
import type { CacheTypeName } from '../../cache/types.ts'
import type { Logprobs } from '../../sampling/logprobs.ts'

/**
 * `stop`: end-of-text token or stop sequence. `length`: maxTokens. `context`: no room for another token.
 * `aborted`: the iteration was left early (an aborted signal throws its reason instead).
 */
export type FinishReason = 'stop' | 'length' | 'context' | 'aborted'

/** Text that one token added, as it is generated. */
export interface Chunk {
  /** May be empty while a character or a stop sequence is incomplete. */
  readonly text: string
  /** The token that was drawn last. */
  readonly tokenId: number
  /** If they were asked for. */
  readonly logprobs?: Logprobs
  /** In a text under a grammar: it is part of the reasoning before the value, or one of its marks. */
  readonly reasoning?: boolean
  /** In a text that is held to a form and resumed, of its first new chunk: the text before it, without reasoning. */
  readonly before?: string
  /**
   * With `schema` or `json`: the value so far, with what is unfinished left out or cut; undefined before it begins. Not yet
   * checked.
   */
  readonly partial?: unknown
}

/** Token counts of one generation. */
export interface Usage {
  /** Tokens of the prompt and of the timeline before it, reused ones included. */
  readonly promptTokens: number
  /** Prompt tokens whose rows were there: the session's own, or those of another that began alike. */
  readonly cachedTokens: number
  /** Number of `tokenIds`. */
  readonly completionTokens: number
  /** Those of them that were given with `resume`; absent without. */
  readonly resumedTokens?: number
  /** Of an infill: tokens of prefix and suffix that were cut, since the context does not hold them. Else absent. */
  readonly cutTokens?: number
  /** Draft tokens that the model checked (`speculation`). */
  readonly draftTokens: number
  /** Draft tokens that became part of the text. */
  readonly acceptedTokens: number
}

/** Duration and speed of one generation; all 0 if nothing was computed. */
export interface Timings {
  /** Milliseconds from the call to the first token, waiting for other prompts included. With beams: to the whole text. */
  readonly firstTokenMs: number
  /** Milliseconds from the start of reading the prompt to the first token. */
  readonly promptMs: number
  /** Milliseconds from the first token to the last; 0 for a single token. */
  readonly generationMs: number
  /** Prompt tokens that were not reused, per second of `promptMs`. */
  readonly promptTokensPerSecond: number
  /** Generated tokens after the first, per second of `generationMs`. With beams: all tokens. */
  readonly tokensPerSecond: number
  /**
   * With `speculation`: how many times as fast the text came as without guesses, by its own steps without them; absent where there were
   * none, or no guesses.
   */
  readonly draftSpeedUp?: number
}

/** A finished text: what a `Generation` resolves with; `T`: what its value is. */
export interface Completion<T = unknown> {
  /** The text, without its prompt. */
  readonly text: string
  /** What was written after the prompt: without the end-of-text token and stop sequences. */
  readonly tokenIds: readonly number[]
  /**
   * With `schema` or `json`: the value that the text is, as the schema's library makes it; with `choices`, `regex` or
   * `grammar`: the text without reasoning. undefined where the text did not come to its end.
   */
  readonly value?: T
  /** Why it ended. */
  readonly finishReason: FinishReason
  /** The one of `stopSequences` that ended it, which is not part of the text; absent where none did. */
  readonly stopSequence?: string
  /** The one of `stopTokenIds` that ended it; absent where none did. */
  readonly stopTokenId?: number
  /** Numbers of tokens read, reused, generated and drafted. */
  readonly usage: Usage
  /** Milliseconds, and tokens per second. */
  readonly timings: Timings
  /** The seed that the text was drawn with; it draws the same text again. */
  readonly seed: number
  /**
   * If they were asked for: of every token that was drawn, in order. So the end-of-text token has one, and what a stop
   * sequence took back.
   */
  readonly logprobs?: readonly Logprobs[]
  /** Of a beam search: what it found, the best first; that one is also the text. */
  readonly beams?: readonly BeamText[]
}

/** One text of a beam search. */
export interface BeamText {
  /** The text, without its prompt. */
  readonly text: string
  /** Its tokens, without the end-of-text token. */
  readonly tokenIds: readonly number[]
  /** Why it ended. */
  readonly finishReason: FinishReason
  /** Sum over its tokens of the natural logarithm of their probability, the end-of-text token included. */
  readonly logprob: number
  /** What beams are compared by; see `BeamOptions.lengthPenalty`. */
  readonly score: number
}

/**
 * A prompt under way: iterate for chunks as they come, await for the whole, or both; it runs once, and starts at once.
 * Leaving an iteration early (`break`) cancels it. An aborted signal makes both throw the signal's reason.
 *
 * It is a promise of the completion in every respect. One that fails while nobody awaits or iterates it is an unhandled
 * rejection, unless its end was asked for: by an aborted signal, or by disposing of its session or engine.
 */
export interface Generation<T = unknown> extends AsyncIterable<Chunk>, Promise<Completion<T>> {}

/** What tokens are drawn with where a prompt says nothing of it. */
export interface SamplingDefaults {
  /** Whose they are: the model's files name some of the first four, or none. */
  readonly by: 'model' | 'latentkit'
  /** Divides the logits; 0 takes the likeliest token. */
  readonly temperature: number
  /** Tokens are drawn from the likeliest ones that have this share of the probability; 1: from all. */
  readonly topP: number
  /** Tokens are drawn from this number of likeliest ones; 0: from all. */
  readonly topK: number
  /** Smallest probability of a token that is drawn from, relative to the likeliest one's; 0: no limit. */
  readonly minP: number
  /** Tokens are drawn from the most typical ones that have this share of the probability; 1: from all. */
  readonly typicalP: number
  /** Divides positive logits of tokens that have occurred and multiplies negative ones; 1: off. */
  readonly repetitionPenalty: number
}

/** How a model makes vectors of texts, unless the call says otherwise. */
export interface EmbeddingInfo {
  /** How a vector is made of its tokens. */
  readonly pooling: 'mean' | 'last' | 'cls'
  /** Whether vectors are divided by their length. */
  readonly normalize: boolean
  /** Numbers of a vector. */
  readonly dimensions: number
  /** Tokens of the longest text, special tokens included. */
  readonly maxTokens: number
  /** Texts that the model was trained to see before a text, by their names. */
  readonly prompts: Readonly<Record<string, string>>
  /** Name of the one that is used by default; null: none. */
  readonly defaultPrompt: string | null
}

/** What `engine.embed` found. */
export interface Embeddings {
  /** One vector for each text, in their order, each `dimensions` numbers. */
  readonly embeddings: readonly Float32Array[]
  /** What was read. */
  readonly usage: {
    /** Tokens of all texts, prompts and special tokens included. */
    readonly tokens: number
  }
  /** Indices of texts that were cut (`truncate`). */
  readonly truncated: readonly number[]
}

/** One document of `engine.rerank`. */
export interface RankedDocument {
  /** Its place in the list that was given. */
  readonly index: number
  /** How well it answers the query: a logit, the higher the better. 1 / (1 + exp(-score)) is between 0 and 1. */
  readonly score: number
}

/** What `engine.rerank` found. */
export interface Ranking {
  /** The best first; equal scores in the order that was given. */
  readonly ranking: readonly RankedDocument[]
  /** What was read. */
  readonly usage: {
    /** Tokens of all pairs, special tokens included. */
    readonly tokens: number
  }
  /** Indices of documents that were cut (`truncate`). */
  readonly truncated: readonly number[]
}

/** Facts about a loaded model. */
export interface ModelInfo {
  /** The folder or file without its path, or the name on the hub. */
  readonly name: string
  /** The `model_type` of config.json. */
  readonly modelType: string
  /** Whether it writes texts. false: an encoder, for `embed` (and `rerank`) alone. */
  readonly generates: boolean
  /** Whether it scores documents for a query (`rerank`). */
  readonly reranks: boolean
  /** How it makes vectors. */
  readonly embedding: EmbeddingInfo
  /** Number of layers. */
  readonly nLayers: number
  /** D, the width of the residual stream. */
  readonly hiddenSize: number
  /** Rows of the logits: token ids are below it. */
  readonly vocabSize: number
  /** Tokens a session may hold. */
  readonly contextLength: number
  /** Type of the cached numbers. */
  readonly cacheType: CacheTypeName
  /** Bytes of one cached token in all layers, while no window has passed it. */
  readonly cacheBytesPerToken: number
  /** Bytes of one state of all layers that carry one in place of keys: a text has one, and two while it is computed. 0: there are none. */
  readonly cacheStateBytes: number
  /** Of an encoder-decoder, whose prompts are source texts that it answers with another text; null: prompts are continued. */
  readonly source: SourceInfo | null
  /** Number of weights of the matrices and vectors that the model reads. */
  readonly parameters: number
  /** Bytes of the weights in the types that the kernels use. */
  readonly weightBytes: number
  /** The kernel set in use. */
  readonly kernels: {
    /** `native`, `wasm` or `reference`. */
    readonly name: string
    /** Instruction set, such as `avx512`, `avx2`, `neon`, `simd128` or `portable`. */
    readonly isa: string
    /** Compute threads. */
    readonly threads: number
  }
  /** Why the kernels are not the native ones; null where they are or were not asked for. */
  readonly fallbackReason: string | null
  /** Whether prompts may be messages: the model, or the load options, have a chat template. */
  readonly hasChatTemplate: boolean
  /** Whether the model's vocabulary or chat template marks reasoning: `thinkingBudget` needs it. */
  readonly marksReasoning: boolean
  /** How tokens are drawn if a prompt sets no sampling options. */
  readonly sampling: SamplingDefaults
  /** Name of the draft model; null without one. */
  readonly draft: string | null
  /** Whether the model's module of multi-token prediction is loaded, to guess ahead. */
  readonly mtp: boolean
  /** Folder or file of the adapter that is applied; null: none is. */
  readonly lora: string | null
  /** What looked odd while loading but does no harm; one sentence each. */
  readonly warnings: readonly string[]
}

/** What an encoder-decoder reads. */
export interface SourceInfo {
  /** Tokens that a source text may have. */
  readonly contextLength: number
  /** Bytes that cross-attention keeps of one of its tokens, in all layers. */
  readonly cacheBytesPerToken: number
}

/** Bytes and tokens a session's cache holds. */
export interface CacheStats {
  /** Tokens with cached rows. */
  readonly tokens: number
  /** Rows of the cached tokens: tokens x layers x row. */
  readonly usedBytes: number
  /** Its blocks, those it shares with other sessions included. */
  readonly bytes: number
}

/** Bytes of all cache blocks of an engine; blocks that several sessions share count once. */
export interface EngineCacheStats {
  /** Held by sessions. */
  readonly bytes: number
  /** Held by nobody and kept for prompts that begin alike, until the memory is needed. */
  readonly keptBytes: number
  /** These two and what waits to be used again: what is allocated. */
  readonly allocatedBytes: number
  /** Allocated for the rows of what drafts (draft model, module of multi-token prediction), whose budget is its own; 0 without. */
  readonly draftBytes: number
}

/** What `session.save` wrote. */
export interface SavedSession {
  /** Tokens of the history. */
  readonly tokens: number
  /** Tokens that have cached rows in the file; 0 if saved without `rows`. */
  readonly rows: number
  /** Size of the file. */
  readonly bytes: number
}
