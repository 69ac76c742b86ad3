/** What is asked of a text that was read, and what is answered: plain data, which crosses a thread. */
import type { AttentionMap, HiddenStates, NextTokens, ReadingInfo } from './types.ts'

/** Positions from .. to, `to` excluded. */
export type Span = readonly [from: number, to: number]

export interface AttentionQuestion {
  readonly layer: number
  readonly heads: readonly number[]
  readonly rows: Span
  readonly probabilities: boolean
  readonly scores: boolean
  /** Side of the reduced pattern; 0: none. */
  readonly pool: number
  readonly pooling: 'max' | 'mean'
  readonly measures: boolean
}

export interface Questions {
  readonly read: { readonly text: string | readonly number[]; readonly maxBytes: number }
  readonly attention: AttentionQuestion
  readonly hidden: { readonly layer: number; readonly rows: Span }
  readonly next: {
    readonly layers: readonly number[]
    readonly row: number
    readonly top: number
    readonly logits: boolean
  }
  readonly close: Record<never, never>
}

export interface Answers {
  readonly read: ReadingInfo
  readonly attention: readonly AttentionMap[]
  readonly hidden: HiddenStates
  readonly next: readonly NextTokens[]
  readonly close: null
}

export type About = keyof Questions
export type Question = { readonly [A in About]: { readonly about: A } & Questions[A] }[About]
