/** Where the explorer's numbers come from: a model in this page, or one that runs in Node behind it. */
import type { ModelInfo, Reading } from '../../../src/browser.ts'

/** A text that a model has read, as `engine.inspect` gives it (docs/inspect.md). */
export type TextReading = Pick<
  Reading,
  'tokens' | 'layers' | 'hiddenSize' | 'causal' | 'attention' | 'hidden' | 'next' | 'lens' | 'dispose'
>

export interface Numbers {
  readonly info: ModelInfo
  /** Reads a text to look into it. */
  read(text: string): Promise<TextReading>
  dispose(): Promise<void>
}
