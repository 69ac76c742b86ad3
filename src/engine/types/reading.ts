/** Options of `engine.inspect` and of a reading's methods. */

/** Options of `engine.inspect`. */
export interface InspectTextOptions {
  /** Bytes that all readings of the engine together may keep; one that needs more is refused with its size. Default 1 GiB. */
  readonly maxBytes?: number
  /** Ends the work: `inspect` rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** Which layers, heads and queries. */
export interface WhereOptions {
  /** Layers, from 0 on; negative ones count from the end. Default: all. */
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
  /** Give each pattern whole, after the softmax. Default: unless `pool` or `measures` is given. */
  readonly probabilities?: boolean
  /** Give the scores before the softmax. Default false. */
  readonly scores?: boolean
  /** Give the pattern reduced to at most so many rows and columns. Default: not. */
  readonly pool?: number
  /** What a number of the reduced pattern is of those that it stands for. Default `max`. */
  readonly pooling?: 'max' | 'mean'
  /** Give `measures`: how much the head looks at the previous token, the first, and others. Over the chosen rows. Default false. */
  readonly measures?: boolean
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
