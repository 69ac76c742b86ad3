/** What is changed while a text is read, brought into the form in which layers take it. */
import type { StoredRows } from './diverted.ts'
import type { Span } from './questions.ts'

/** What a head found is replaced for some tokens: by `values`, f32 [rows, V], or by nothing. */
export interface HeadChange {
  readonly head: number
  readonly rows: Span
  readonly values: Float32Array | null
}

export interface StateChange {
  readonly row: number
  /** f32 [n, D] */
  readonly values: Float32Array
  /** f32 [n, D]: what experts of the layer before have returned, where it joins the stream behind this one; else null. */
  readonly waiting: Float32Array | null
}

export interface RankChange {
  readonly segment: string
  readonly rank: number
}

export interface LayerChanges {
  readonly heads: readonly HeadChange[]
  readonly states: readonly StateChange[]
  readonly ranks: readonly RankChange[]
}

export const NO_CHANGES: LayerChanges = { heads: [], states: [], ranks: [] }

/** By layer. */
export type Changes = ReadonlyMap<number, LayerChanges>

/** Rows that changed layers store in place of their own, by layer. */
export type StoredByLayer = ReadonlyMap<number, StoredRows>
