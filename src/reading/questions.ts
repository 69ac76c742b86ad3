/** What is asked of a text that was read, and what is answered: plain data, which crosses a thread. */
import type { AttentionPath } from '../nn/attention/path.ts'
import type {
  AttentionMap,
  Cell,
  HeadVectors,
  HiddenStates,
  Neighbour,
  NextTokens,
  ReadingInfo,
  Spectrum,
  SpectrumOf,
} from './types.ts'

/** Positions from .. to, `to` excluded. */
export type Span = readonly [from: number, to: number]

/** A change of how a text is read. Positions are those of the text; `from` is another text's reading. */
export type Change<From> =
  /** What a head found is nothing, for all tokens or some. */
  | { readonly kind: 'off'; readonly layer: number; readonly head: number; readonly rows: Span }
  /** What a head found is what it found in another text, `count` tokens from there on. */
  | {
      readonly kind: 'head'
      readonly layer: number
      readonly head: number
      readonly row: number
      readonly from: From
      readonly fromRow: number
      readonly count: number
    }
  /** The stream that enters a layer is another text's. */
  | {
      readonly kind: 'state'
      readonly layer: number
      readonly row: number
      readonly from: From
      readonly fromRow: number
      readonly count: number
    }
  /** What a layer stores is projected to the best subspace of that rank. */
  | { readonly kind: 'rank'; readonly layer: number; readonly of: 'latent' | 'keys' | 'values'; readonly rank: number }

export interface AttentionQuestion {
  /** To the source, in place of the text itself. */
  readonly cross: boolean
  readonly layer: number
  readonly heads: readonly number[]
  readonly rows: Span
  readonly probabilities: boolean
  readonly scores: boolean
  /** Side of the reduced pattern; 0: none. */
  readonly pool: number
  readonly pooling: 'max' | 'mean'
  readonly measures: boolean
  readonly path?: AttentionPath | undefined
}

export interface Questions {
  /** `changes`: as callers give them, `from` the number of a reading. `source`: what the source of an encoder-decoder is known by. */
  readonly read: {
    readonly text: string | readonly number[]
    /** What an encoder-decoder's decoder reads behind its first token, if given. */
    readonly target: string | readonly number[] | null
    readonly source: number
    readonly maxBytes: number
    readonly changes: readonly object[]
  }
  readonly attention: AttentionQuestion
  readonly hidden: { readonly layer: number; readonly rows: Span }
  readonly next: {
    readonly layers: readonly number[]
    readonly row: number
    readonly top: number
    readonly logits: boolean
  }
  readonly vectors: { readonly layer: number; readonly head: number; readonly rows: Span }
  readonly cell: {
    readonly cross: boolean
    readonly layer: number
    readonly head: number
    readonly query: number
    readonly key: number
    readonly neighbours: number
  }
  readonly spectrum: { readonly layer: number; readonly of: SpectrumOf }
  readonly neighbours: { readonly id: number; readonly top: number }
  readonly close: Record<never, never>
}

export interface Answers {
  readonly read: ReadingInfo
  readonly attention: readonly AttentionMap[]
  readonly hidden: HiddenStates
  readonly next: readonly NextTokens[]
  readonly vectors: HeadVectors
  readonly cell: Cell
  readonly spectrum: Spectrum
  readonly neighbours: readonly Neighbour[]
  readonly close: null
}

export type About = keyof Questions
export type Question = { readonly [A in About]: { readonly about: A } & Questions[A] }[About]
