/** Options of a reading's methods. */
import type { AttentionPath } from '../../../nn/attention/path.ts'
import { choice, flag, list, type OptionTable, signal, whole } from '../../../options/kinds.ts'

export const SIGNAL = { kind: signal, description: 'ends the work' }

export const WHERE = {
  layers: { kind: list(whole(), 'layers'), description: 'which layers', defaultText: 'all' },
  rows: { kind: list(whole(), 'two positions, from and to'), description: 'which queries', defaultText: 'all' },
  signal: SIGNAL,
}

export const PLACE = {
  layer: { kind: whole(), description: 'the layer' },
  head: { kind: whole(), description: 'the query head' },
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

export const ATTENTION_OPTIONS = {
  ...WHERE,
  heads: { kind: list(whole(), 'heads'), description: 'which query heads', defaultText: 'all' },
  probabilities: { kind: flag, description: 'whole patterns, after the softmax' },
  scores: { kind: flag, description: 'scores before the softmax' },
  pool: { kind: whole(1, 4096), description: 'rows and columns of a reduced pattern' },
  pooling: { kind: choice(['max', 'mean']), description: 'how a pattern is reduced', defaultText: 'max' },
  path: { kind: choice(['expanded', 'absorbed']), description: 'the path of MLA', defaultText: 'as the model chooses' },
  measures: { kind: flag, description: 'what the head looks at' },
  cross: { kind: flag, description: 'attention to the source of an encoder-decoder' },
} satisfies OptionTable<AttentionOptions>

/** Options of `reading.hidden`. */
export interface HiddenOptions {
  /** The layers that the states enter; as many as there are layers: what leaves the last; negative ones count from the end. Default: all. */
  readonly layers?: readonly number[]
  /** Positions [from, to); negative ones count from the end. Default: all. */
  readonly rows?: readonly number[]
  /** Ends the work: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal
}

export const HIDDEN_OPTIONS = WHERE satisfies OptionTable<HiddenOptions>

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

export const NEXT_OPTIONS = {
  row: { kind: whole(), description: 'position of the token before', defaultText: '-1' },
  top: { kind: whole(1, 1000), description: 'so many of the likeliest tokens', defaultText: '10' },
  logits: { kind: flag, description: 'all logits' },
  signal: SIGNAL,
} satisfies OptionTable<NextOptions>

/** Options of `reading.lens`. */
export interface LensOptions extends NextOptions {
  /** After how many layers; negative numbers count from the end. Default: all, from 0 on. */
  readonly layers?: readonly number[]
}

export const LENS_OPTIONS = { ...NEXT_OPTIONS, layers: WHERE.layers } satisfies OptionTable<LensOptions>

/** Options of `reading.write`. */
export interface WriteOptions {
  /** At most so many tokens. Default 16. */
  readonly maxTokens?: number
  /** Ends the work: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal
}

export const WRITE_OPTIONS = {
  maxTokens: { kind: whole(1), description: 'at most so many tokens', defaultText: '16' },
  signal: SIGNAL,
} satisfies OptionTable<WriteOptions>

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

export const VECTOR_OPTIONS = { ...PLACE, rows: WHERE.rows, signal: SIGNAL } satisfies OptionTable<VectorOptions>

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

export const CELL_OPTIONS = {
  ...PLACE,
  query: { kind: whole(), description: 'position of the query' },
  key: { kind: whole(), description: 'position of the key' },
  cross: { kind: flag, description: 'the key is of the source of an encoder-decoder' },
  neighbours: { kind: whole(0, 1000), description: 'so many of the likeliest keys', defaultText: '5' },
  signal: SIGNAL,
} satisfies OptionTable<CellOptions>

/** Options of `reading.spectra`. */
export interface SpectrumOptions {
  /** Layers that attend; negative ones count from the end. Default: all. */
  readonly layers?: readonly number[]
  /** What is taken apart. Default: `latent` of MLA, else `keysAndValues`. */
  readonly of?: 'latent' | 'keys' | 'values' | 'keysAndValues'
  /** Ends the work: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal
}

export const SPECTRUM_OPTIONS = {
  layers: WHERE.layers,
  of: { kind: choice(['latent', 'keys', 'values', 'keysAndValues']), description: 'what is taken apart' },
  signal: SIGNAL,
} satisfies OptionTable<SpectrumOptions>

/** Options of `engine.neighbours`. */
export interface NeighbourOptions {
  /** So many of the nearest tokens, 1 to 1,000. Default 10. */
  readonly top?: number
  /** Ends the work. */
  readonly signal?: AbortSignal
}

export const NEIGHBOUR_OPTIONS = {
  top: { kind: whole(1, 1000), description: 'so many of the nearest tokens', defaultText: '10' },
  signal: SIGNAL,
} satisfies OptionTable<NeighbourOptions>
