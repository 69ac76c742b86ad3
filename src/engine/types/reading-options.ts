/** Every option of `engine.inspect` and of a reading once: `option-table.ts` says how. */
import { choice, flag, list, type OptionRows, type OptionTable, signal, whole } from '../../options/kinds.ts'
import type {
  AttentionOptions,
  CellOptions,
  HiddenOptions,
  InspectTextOptions,
  LensOptions,
  NeighbourOptions,
  NextOptions,
  ReadingChange,
  SpectrumOptions,
  VectorOptions,
  WriteOptions,
} from './reading.ts'

const SIGNAL = { kind: signal, description: 'ends the work' }
const WHERE = {
  layers: { kind: list(whole(), 'layers'), description: 'which layers', defaultText: 'all' },
  rows: { kind: list(whole(), 'two positions, from and to'), description: 'which queries', defaultText: 'all' },
  signal: SIGNAL,
}

export const INSPECT_TEXT_OPTIONS = {
  maxBytes: { kind: whole(1), description: 'what all readings together may keep', defaultText: '1 GiB' },
  signal: SIGNAL,
} satisfies OptionTable<Omit<InspectTextOptions, 'changes' | 'target'>>

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

export const HIDDEN_OPTIONS = WHERE satisfies OptionTable<HiddenOptions>

export const NEXT_OPTIONS = {
  row: { kind: whole(), description: 'position of the token before', defaultText: '-1' },
  top: { kind: whole(1, 1000), description: 'so many of the likeliest tokens', defaultText: '10' },
  logits: { kind: flag, description: 'all logits' },
  signal: SIGNAL,
} satisfies OptionTable<NextOptions>

const PLACE = {
  layer: { kind: whole(), description: 'the layer' },
  head: { kind: whole(), description: 'the query head' },
}

export const VECTOR_OPTIONS = { ...PLACE, rows: WHERE.rows, signal: SIGNAL } satisfies OptionTable<VectorOptions>

export const CELL_OPTIONS = {
  ...PLACE,
  query: { kind: whole(), description: 'position of the query' },
  key: { kind: whole(), description: 'position of the key' },
  cross: { kind: flag, description: 'the key is of the source of an encoder-decoder' },
  neighbours: { kind: whole(0, 1000), description: 'so many of the likeliest keys', defaultText: '5' },
  signal: SIGNAL,
} satisfies OptionTable<CellOptions>

export const SPECTRUM_OPTIONS = {
  layers: WHERE.layers,
  of: { kind: choice(['latent', 'keys', 'values', 'keysAndValues']), description: 'what is taken apart' },
  signal: SIGNAL,
} satisfies OptionTable<SpectrumOptions>

export const WRITE_OPTIONS = {
  maxTokens: { kind: whole(1), description: 'at most so many tokens', defaultText: '16' },
  signal: SIGNAL,
} satisfies OptionTable<WriteOptions>

export const NEIGHBOUR_OPTIONS = {
  top: { kind: whole(1, 1000), description: 'so many of the nearest tokens', defaultText: '10' },
  signal: SIGNAL,
} satisfies OptionTable<NeighbourOptions>

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

export const LENS_OPTIONS = { ...NEXT_OPTIONS, layers: WHERE.layers } satisfies OptionTable<LensOptions>
