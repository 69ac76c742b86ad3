/** Where the explorer's numbers come from: a model in this page, or one that runs in Node behind it. */
import type { CacheStats, Message, ModelInfo, Neighbour, Reading, ReadingChange } from '../../../src/browser.ts'

/**
 * A text that a model has read, as `engine.inspect` gives it (docs/inspect.md). Of an encoder-decoder it is what the model writes, and
 * `source` the text that it reads.
 */
export type TextReading = Pick<
  Reading,
  | 'tokens'
  | 'layers'
  | 'hiddenSize'
  | 'causal'
  | 'layersInOne'
  | 'attention'
  | 'hidden'
  | 'next'
  | 'lens'
  | 'cell'
  | 'spectra'
  | 'write'
  | 'dispose'
> & { readonly source: TextReading | null }

/** How an answer is drawn. */
export interface AnswerOptions {
  readonly temperature: number
  readonly maxTokens: number
}

/** A step of a text that is written with a cache. */
export interface GrowthStep {
  /** Token ids whose keys and values the step computes: the prompt's at first, then one. */
  readonly computed: readonly number[]
  /** Their texts. */
  readonly texts: readonly string[]
  /** What the cache holds after the step. */
  readonly cache: CacheStats
}

export interface Numbers {
  readonly info: ModelInfo
  /** Where they are computed. */
  readonly place: 'page' | 'node'
  /** Reads a text to look into it, as it is or with changes; `signal` ends it. */
  read(text: string, changes: readonly ReadingChange[], signal?: AbortSignal): Promise<TextReading>
  /** Tokens whose embeddings point nearly the same way. */
  neighbours(id: number): Promise<readonly Neighbour[]>
  /** What follows a text, or answers a conversation, as it is written; `signal` ends it. */
  answer(prompt: string | readonly Message[], options: AnswerOptions, signal: AbortSignal): AsyncIterable<string>
  /** A conversation as the model has it when it ends its last message, special tokens included. Throws without a chat template. */
  rendered(messages: readonly Message[]): Promise<string>
  /** The model's config.json. */
  config(): Promise<Readonly<Record<string, unknown>>>
  /** Reads a text and writes on, the likeliest tokens, step by step with what the cache holds then. */
  grow(text: string, steps: number, signal: AbortSignal): AsyncIterable<GrowthStep>
  dispose(): Promise<void>
}
