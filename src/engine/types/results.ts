/** What users of the engine get: texts, and what a model and its cache are. */
import type { CacheTypeName } from '../../cache/types.ts'
import type { Logprobs } from '../../sampling/logprobs.ts'

/**
 * `stop`: end-of-text token or stop sequence. `length`: maxTokens. `context`: no room for another token.
 * `aborted`: the iteration was left early (an aborted signal throws its reason instead).
 */
export type FinishReason = 'stop' | 'length' | 'context' | 'aborted'

/** A piece of text as it is generated. */
export interface Chunk {
  /** May be empty while a character or a stop sequence is incomplete. */
  readonly text: string
  /** The token that completed the piece. */
  readonly tokenId: number
  /** If they were asked for. */
  readonly logprobs?: Logprobs
}

/** Token counts of one generation. */
export interface Usage {
  /** Tokens of the prompt, reused ones included. */
  readonly promptTokens: number
  /** Prompt tokens whose rows were there: the session's own, or those of another that began alike. */
  readonly cachedTokens: number
  /** Tokens that were generated. */
  readonly completionTokens: number
  /** Tokens that were guessed ahead and checked (`speculation`), and those of them that the text has. */
  readonly draftTokens: number
  /** Of these, guessed ahead and accepted (speculation). */
  readonly acceptedTokens: number
}

/** Where the time of one generation went. */
export interface Timings {
  /** Milliseconds from the call to the first token, of prompt processing, and of generation after it. */
  readonly firstTokenMs: number
  /** Milliseconds until the first token. */
  readonly promptMs: number
  /** Milliseconds from the first token to the last. */
  readonly generationMs: number
  /** Prompt tokens that were computed, per second. */
  readonly promptTokensPerSecond: number
  /** Generated tokens per second. */
  readonly tokensPerSecond: number
}

/** A finished text. */
export interface Completion {
  /** The text, without its prompt. */
  readonly text: string
  /** What was written after the prompt: without the end-of-text token and stop sequences. */
  readonly tokenIds: readonly number[]
  /** Why it ended. */
  readonly finishReason: FinishReason
  /** Token counts. */
  readonly usage: Usage
  /** Where the time went. */
  readonly timings: Timings
  /** Draws the same text again. */
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
  /** Its tokens. */
  readonly tokenIds: readonly number[]
  /** Why it ended. */
  readonly finishReason: FinishReason
  /** Of all its tokens together, that of an end-of-text token included. */
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
export interface Generation extends AsyncIterable<Chunk>, Promise<Completion> {}

/** What tokens are drawn with where a prompt says nothing of it. */
export interface SamplingDefaults {
  /** Whose they are: the model's files name some of the first four, or none. */
  readonly by: 'model' | 'latentkit'
  /** 0 is greedy. */
  readonly temperature: number
  /** Share of the probability that tokens are drawn from; 1 is all of it. */
  readonly topP: number
  /** Number of likeliest tokens that are drawn from; 0 is all of them. */
  readonly topK: number
  /** Least probability of a token, relative to the likeliest one's; 0 leaves out none. */
  readonly minP: number
  /** Divides the logits of tokens that have occurred; 1 does nothing. */
  readonly repetitionPenalty: number
}

/** A loaded model. */
export interface ModelInfo {
  /** The folder or file without its path, or the name on the hub. */
  readonly name: string
  /** The `model_type` of config.json. */
  readonly modelType: string
  /** Number of decoder layers. */
  readonly nLayers: number
  /** Width of the residual stream. */
  readonly hiddenSize: number
  /** Number of token ids. */
  readonly vocabSize: number
  /** Tokens a session may hold. */
  readonly contextLength: number
  /** Element type of cached rows. */
  readonly cacheType: CacheTypeName
  /** Bytes of one cached token in all layers. */
  readonly cacheBytesPerToken: number
  /** Number of weights. */
  readonly parameters: number
  /** Bytes of the weights in the types that the kernels use. */
  readonly weightBytes: number
  /** What computes. */
  readonly kernels: { readonly name: string; readonly isa: string; readonly threads: number }
  /** Why the kernels are not the native ones; null where they are or were not asked for. */
  readonly fallbackReason: string | null
  /** Whether prompts may be messages. */
  readonly hasChatTemplate: boolean
  /** How tokens are drawn where a prompt does not say. */
  readonly sampling: SamplingDefaults
  /** The draft model's name; null without one. */
  readonly draft: string | null
  /** What looked odd while loading but does no harm; one sentence each. */
  readonly warnings: readonly string[]
}

/** Bytes and tokens a session's cache holds. */
export interface CacheStats {
  /** Tokens that have rows. */
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
  /** Allocated for the rows of the draft model, whose budget is its own; 0 without one. */
  readonly draftBytes: number
}

/** What a saved session takes. */
export interface SavedSession {
  /** Of the history, and how many of them have rows in the file. */
  readonly tokens: number
  /** Cached rows in the file. */
  readonly rows: number
  /** Of the file. */
  readonly bytes: number
}
