/** Which query rows of a step attend in one call, to whose keys. */

import type { Sequences } from '../../kernels/contract/cached-rows.ts'

/** Query rows start .. start + count of the step that attend in one call. */
export interface QueryRun {
  readonly start: number
  readonly count: number
  /** Query rows counted from `start`. */
  readonly sequences: Sequences
  /** Row of the step in which the first of its sequences begins. */
  readonly firstRow: number
  /** The same with a row for each query, where queries choose their keys; else null. */
  readonly queries: Sequences | null
}

/** Keys keyStart .. keyStart + keyCount of one sequence, counted in positions. */
export interface KeyChunk {
  readonly keyStart: number
  readonly keyCount: number
  /** Query rows counted from the span's start. */
  readonly sequence: Sequences
  /** Row of the step in which the sequence begins. */
  readonly firstRow: number
}

/** Query rows of one sequence that take the expanded path, and its keys in chunks on a fixed grid of positions. */
export interface ExpandedSpan {
  readonly start: number
  readonly count: number
  readonly keyChunks: readonly KeyChunk[]
}

/** The sequences of a step as one group of layers sees them. */
export interface StepGroup {
  /** All query rows: in one run, unless sequences are kept apart. */
  readonly all: readonly QueryRun[]
  /** All query rows once more, by the path of MLA that they take. */
  readonly absorbed: readonly QueryRun[]
  readonly expanded: readonly ExpandedSpan[]
}
