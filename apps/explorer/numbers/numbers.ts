/** Where the explorer's numbers come from: a model in this page, or one that runs in Node behind it. */
import type { Message, ModelInfo, Neighbour, Reading, ReadingChange } from '../../../src/browser.ts'

/** A text that a model has read, as `engine.inspect` gives it (docs/inspect.md). */
export type TextReading = Pick<
  Reading,
  | 'tokens'
  | 'layers'
  | 'hiddenSize'
  | 'causal'
  | 'attention'
  | 'hidden'
  | 'next'
  | 'lens'
  | 'cell'
  | 'spectra'
  | 'dispose'
>

/** How an answer is drawn. */
export interface AnswerOptions {
  readonly temperature: number
  readonly maxTokens: number
}

export interface Numbers {
  readonly info: ModelInfo
  /** Reads a text to look into it, as it is or with changes. */
  read(text: string, changes: readonly ReadingChange[]): Promise<TextReading>
  /** Tokens whose embeddings point nearly the same way. */
  neighbours(id: number): Promise<readonly Neighbour[]>
  /** What follows a text, or answers a conversation, as it is written; `signal` ends it. */
  answer(prompt: string | readonly Message[], options: AnswerOptions, signal: AbortSignal): AsyncIterable<string>
  /** A conversation as the model has it when it ends its last message, special tokens included. Throws without a chat template. */
  rendered(messages: readonly Message[]): Promise<string>
  dispose(): Promise<void>
}
