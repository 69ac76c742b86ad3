/** Options of `engine.inspect` and of a reading's methods. */
import type { AttentionPath } from '../../nn/attention/path.ts'
import type { ReadingLayer, ReadingToken } from '../../reading/types.ts'

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

/** Which layers, heads and queries. */
export interface WhereOptions {
  /** Layers that attend, from 0 on; negative ones count from the end. Default: all. */
  readonly layers?: readonly number[]
  /** Query heads, from 0 on; negative ones count from the end. Default: all. */
  readonly heads?: readonly number[]
  /** Queries [from, to) by position; negative ones count from the end, as in `slice`. Default: all. */
  readonly rows?: readonly number[]
  /** Ends the work: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** Options of `reading.attention`. */
export interface AttentionOptions extends WhereOptions {
  /** Give each pattern whole, after the softmax. Default: unless `pool`, `measures` or `scores` is given. */
  readonly probabilities?: boolean
  /** Give the scores before the softmax. Default false. */
  readonly scores?: boolean
  /** Give the pattern reduced to at most so many rows and columns. Default: not. */
  readonly pool?: number
  /** What a number of the reduced pattern is of those that it stands for. Default `max`. */
  readonly pooling?: 'max' | 'mean'
  /** Give `measures`: how much the head looks at the previous token, the first, and others. Over the chosen rows. Default false. */
  readonly measures?: boolean
  /** Attention to the source of an encoder-decoder, in place of the text itself. Default false. */
  readonly cross?: boolean
  /** Compute all queries by this path of MLA; for other attention without effect. Default: as the model chooses by position. */
  readonly path?: AttentionPath
}

/** Options of `reading.hidden`. */
export interface HiddenOptions {
  /** The layers that the states enter; as many as there are layers: what leaves the last; negative ones count from the end. Default: all. */
  readonly layers?: readonly number[]
  /** Positions [from, to); negative ones count from the end. Default: all. */
  readonly rows?: readonly number[]
  /** Ends the work: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** Options of `reading.next`. */
export interface NextOptions {
  /** Position of the token whose successor is meant; negative ones count from the end. Default -1, the last. */
  readonly row?: number
  /** So many of the likeliest tokens, 1 to 1,000. Default 10. */
  readonly top?: number
  /** Give all logits. Default false. */
  readonly logits?: boolean
  /** Ends the work. */
  readonly signal?: AbortSignal
}

/** Options of `reading.lens`. */
export interface LensOptions extends NextOptions {
  /** After how many layers; negative numbers count from the end. Default: all, from 0 on. */
  readonly layers?: readonly number[]
}

/** Options of `reading.write`. */
export interface WriteOptions {
  /** At most so many tokens. Default 16. */
  readonly maxTokens?: number
  /** Ends the work: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** Options of `reading.vectors`. */
export interface VectorOptions {
  /** Negative ones count from the end. */
  readonly layer: number
  /** The query head; negative ones count from the end. */
  readonly head: number
  /** Tokens [from, to); negative ones count from the end. Default: all. */
  readonly rows?: readonly number[]
  /** Ends the work. */
  readonly signal?: AbortSignal
}

/** Options of `reading.cell`. */
export interface CellOptions {
  /** Negative ones count from the end, as do those of `head`, `query` and `key`. */
  readonly layer: number
  /** The query head. */
  readonly head: number
  /** Position of the query. */
  readonly query: number
  /** Position of the key. */
  readonly key: number
  /** The key is of the source of an encoder-decoder. Default false. */
  readonly cross?: boolean
  /** So many of the keys that the query looks at most, 0 to 1,000. Default 5. */
  readonly neighbours?: number
  /** Ends the work. */
  readonly signal?: AbortSignal
}

/** Options of `reading.spectra`. */
export interface SpectrumOptions {
  /** Layers that attend; negative ones count from the end. Default: all. */
  readonly layers?: readonly number[]
  /** What is taken apart. Default: `latent` of MLA, else `keysAndValues`. */
  readonly of?: 'latent' | 'keys' | 'values' | 'keysAndValues'
  /** Ends the work: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** Options of `engine.neighbours`. */
export interface NeighbourOptions {
  /** So many of the nearest tokens, 1 to 1,000. Default 10. */
  readonly top?: number
  /** Ends the work. */
  readonly signal?: AbortSignal
}
