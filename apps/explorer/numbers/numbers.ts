/** Where the explorer's numbers come from: a model in this page, or one that runs in Node behind it. */
import type { ModelInfo, Neighbour, Reading, ReadingChange } from '../../../src/browser.ts'

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

export interface Numbers {
  readonly info: ModelInfo
  /** Reads a text to look into it, as it is or with changes. */
  read(text: string, changes: readonly ReadingChange[]): Promise<TextReading>
  /** Tokens whose embeddings point nearly the same way. */
  neighbours(id: number): Promise<readonly Neighbour[]>
  dispose(): Promise<void>
}
