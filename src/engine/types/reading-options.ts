/** Every option of `engine.inspect` and of a reading once: `option-table.ts` says how. */
import { choice, flag, list, type OptionTable, signal, whole } from '../../options/kinds.ts'
import type { AttentionOptions, HiddenOptions, InspectTextOptions, LensOptions, NextOptions } from './reading.ts'

const SIGNAL = { kind: signal, description: 'ends the work' }
const WHERE = {
  layers: { kind: list(whole(), 'layers'), description: 'which layers', defaultText: 'all' },
  rows: { kind: list(whole(), 'two positions, from and to'), description: 'which queries', defaultText: 'all' },
  signal: SIGNAL,
}

export const INSPECT_TEXT_OPTIONS = {
  maxBytes: { kind: whole(1), description: 'what all readings together may keep', defaultText: '1 GiB' },
  signal: SIGNAL,
} satisfies OptionTable<InspectTextOptions>

export const ATTENTION_OPTIONS = {
  ...WHERE,
  heads: { kind: list(whole(), 'heads'), description: 'which query heads', defaultText: 'all' },
  probabilities: { kind: flag, description: 'whole patterns, after the softmax' },
  scores: { kind: flag, description: 'scores before the softmax' },
  pool: { kind: whole(1, 4096), description: 'rows and columns of a reduced pattern' },
  pooling: { kind: choice(['max', 'mean']), description: 'how a pattern is reduced', defaultText: 'max' },
  measures: { kind: flag, description: 'what the head looks at' },
} satisfies OptionTable<AttentionOptions>

export const HIDDEN_OPTIONS = WHERE satisfies OptionTable<HiddenOptions>

export const NEXT_OPTIONS = {
  row: { kind: whole(), description: 'position of the token before', defaultText: '-1' },
  top: { kind: whole(1, 1000), description: 'so many of the likeliest tokens', defaultText: '10' },
  logits: { kind: flag, description: 'all logits' },
  signal: SIGNAL,
} satisfies OptionTable<NextOptions>

export const LENS_OPTIONS = { ...NEXT_OPTIONS, layers: WHERE.layers } satisfies OptionTable<LensOptions>
