/** What users of the engine get: texts, and what a model and its cache are. */
import type { CacheTypeName } from '../../cache/types.ts'
import type { Logprobs } from '../../sampling/logprobs.ts'

/**
 * `stop`: end-of-text token or stop sequence. `length`: maxTokens. `context`: no room for another token.
 * `aborted`: the iteration was left early (an aborted signal throws its reason instead).
 */
export type FinishReason = 'stop' | 'length' | 'context' | 'aborted'

export interface Chunk {
  /** May be empty while a character or a stop sequence is incomplete. */
  readonly text: string
  readonly tokenId: number
  /** If they were asked for. */
  readonly logprobs?: Logprobs
}

export interface Usage {
  readonly promptTokens: number
  /** Prompt tokens whose rows were there: the session's own, or those of another that began alike. */
  readonly cachedTokens: number
  readonly completionTokens: number
  /** Tokens that were guessed ahead and checked (`speculation`), and those of them that the text has. */
  readonly draftTokens: number
  readonly acceptedTokens: number
}

export interface Timings {
  /** Milliseconds from the call to the first token, of prompt processing, and of generation after it. */
  readonly firstTokenMs: number
  readonly promptMs: number
  readonly generationMs: number
  readonly promptTokensPerSecond: number
  readonly tokensPerSecond: number
}

export interface Completion {
  readonly text: string
  /** What was written after the prompt: without the end-of-text token and stop sequences. */
  readonly tokenIds: readonly number[]
  readonly finishReason: FinishReason
  readonly usage: Usage
  readonly timings: Timings
  readonly seed: number
  /**
   * If they were asked for: of every token that was drawn, in order. So the end-of-text token has one, and what a stop
   * sequence took back.
   */
  readonly logprobs?: readonly Logprobs[]
  /** Of a beam search: what it found, the best first; that one is also the text. */
  readonly beams?: readonly BeamText[]
}

export interface BeamText {
  readonly text: string
  readonly tokenIds: readonly number[]
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
  readonly temperature: number
  readonly topP: number
  readonly topK: number
  readonly minP: number
  readonly repetitionPenalty: number
}

export interface ModelInfo {
  readonly name: string
  readonly modelType: string
  readonly nLayers: number
  readonly hiddenSize: number
  readonly vocabSize: number
  /** Tokens a session may hold. */
  readonly contextLength: number
  readonly cacheType: CacheTypeName
  readonly cacheBytesPerToken: number
  readonly parameters: number
  readonly weightBytes: number
  readonly kernels: { readonly name: string; readonly isa: string; readonly threads: number }
  /** Why the kernels are not the native ones; null where they are or were not asked for. */
  readonly fallbackReason: string | null
  readonly hasChatTemplate: boolean
  readonly sampling: SamplingDefaults
  /** The draft model's name; null without one. */
  readonly draft: string | null
  /** What looked odd while loading but does no harm; one sentence each. */
  readonly warnings: readonly string[]
}

/** Bytes and tokens a session's cache holds. */
export interface CacheStats {
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

export interface SavedSession {
  /** Of the history, and how many of them have rows in the file. */
  readonly tokens: number
  readonly rows: number
  /** Of the file. */
  readonly bytes: number
}
