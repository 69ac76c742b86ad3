/** Options of `engine.inspect`: changes of how a text is read. */
import { choice, type OptionRows, type OptionTable, whole } from '../../../options/kinds.ts'
import type { ReadingLayer, ReadingToken } from '../../../reading/types.ts'
import { PLACE, SIGNAL, WHERE } from './reading.ts'

/** What a change needs of another text: a `Reading`. */
export interface ChangeSource {
  /** Its tokens. */
  readonly tokens: readonly ReadingToken[]
  /** Its layers. */
  readonly layers: readonly ReadingLayer[]
}

/** Options of `engine.inspect`. */
export interface InspectTextOptions {
  /** Bytes that all readings of the engine together may keep; one that needs more is refused with its size. Default 1 GiB. */
  readonly maxBytes?: number
  /**
   * Of an encoder-decoder, whose `text` is the source: what its decoder reads behind its first token, as text or token ids. Default: nothing,
   * so that `next` says how the answer begins.
   */
  readonly target?: string | ArrayLike<number>
  /** Read the text with these changes: heads switched off, taken from another text, a smaller rank. Default: none. */
  readonly changes?: readonly ReadingChange[]
  /** Ends the work: `inspect` rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export const INSPECT_TEXT_OPTIONS = {
  maxBytes: { kind: whole(1), description: 'what all readings together may keep', defaultText: '1 GiB' },
  signal: SIGNAL,
} satisfies OptionTable<Omit<InspectTextOptions, 'changes' | 'target'>>

/** A change of how a text is read. Layers, heads and rows from 0 on; negative ones count from the end. */
export type ReadingChange =
  /** What the head found is nothing: zeros, before the output projection. */
  | {
      /** What is changed. */
      readonly kind: 'off'
      /** The layer. */
      readonly layer: number
      /** The query head. */
      readonly head: number
      /** Tokens [from, to). Default: all. */
      readonly rows?: readonly number[]
    }
  /** What the head found is what it found in another text. */
  | {
      /** What is changed. */
      readonly kind: 'head'
      /** The layer. */
      readonly layer: number
      /** The query head. */
      readonly head: number
      /** A reading of the same engine. */
      readonly from: ChangeSource
      /** The first token that is changed. Default 0. */
      readonly row?: number
      /** The token of the other text that it is taken from. Default: `row`. */
      readonly fromRow?: number
      /** So many tokens from there on. Default: 1 where `row` is given, else all, and both texts must have as many. */
      readonly count?: number
    }
  /**
   * The stream that enters the layer is another text's, with what waits to join it (LongCat's experts): activation patching. `layer` may be the
   * number of layers: what leaves the last.
   */
  | {
      /** What is changed. */
      readonly kind: 'state'
      /** The layer. */
      readonly layer: number
      /** A reading of the same engine. */
      readonly from: ChangeSource
      /** The first token that is changed. Default 0. */
      readonly row?: number
      /** The token of the other text that it is taken from. Default: `row`. */
      readonly fromRow?: number
      /** So many tokens from there on. Default: 1 where `row` is given, else all, and both texts must have as many. */
      readonly count?: number
    }
  /** What the layer stores of all tokens is projected to the best subspace of that rank (SVD over the text's tokens). */
  | {
      /** What is changed. */
      readonly kind: 'rank'
      /** Default: every layer that stores something. */
      readonly layer?: number
      /** `latent` of MLA; else the keys as they are stored, or the values. */
      readonly of: 'latent' | 'keys' | 'values'
      /** 0 or more; from the number of tokens or the width on nothing changes. */
      readonly rank: number
    }

/** Of a change, by its kind; what comes from another text is checked by hand. */
export const CHANGE_OPTIONS = {
  off: { ...PLACE, rows: WHERE.rows },
  head: {
    ...PLACE,
    row: { kind: whole(), description: 'the first token that is changed', defaultText: '0' },
    fromRow: { kind: whole(), description: "the other text's token", defaultText: 'row' },
    count: { kind: whole(1), description: 'so many tokens' },
  },
  state: {
    layer: PLACE.layer,
    row: { kind: whole(), description: 'the first token that is changed', defaultText: '0' },
    fromRow: { kind: whole(), description: "the other text's token", defaultText: 'row' },
    count: { kind: whole(1), description: 'so many tokens' },
  },
  rank: {
    layer: { kind: whole(), description: 'the layer', defaultText: 'all' },
    of: { kind: choice(['latent', 'keys', 'values']), description: 'what is projected' },
    rank: { kind: whole(0), description: 'numbers that are left of it' },
  },
} satisfies Record<ReadingChange['kind'], OptionRows>
