/** examples/ladder as the command calls it: a program of the package, written for readers, that is loaded as it is. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ownPackage } from '../package.ts'

/** Options of `climb`. */
export interface ClimbOptions {
  readonly rungs?: readonly string[]
  readonly steps?: number
  /** Of each length in the examination. */
  readonly texts?: number
  readonly seed?: number
  readonly threads?: number
}

/** A row of the table. */
export interface RungResult {
  readonly type: 'result'
  readonly rung: string
  readonly title: string
  readonly task: 'dates' | 'sentences' | 'sums'
  readonly steps: number
  readonly parameters: number
  /** Of learning, when it was learned. */
  readonly seconds: number
  /** The same of all processors; absent of what an earlier version has learned. */
  readonly processor?: number
  /** Seconds of all processors that the examination took. */
  readonly examination: number
  /** In nats, of texts that were not learned from; null: of none. */
  readonly loss: number | null
  /** Shares, 0 to 1, by length of the text. */
  readonly accuracy: Readonly<Record<string, number>>
  /** The same before reinforcement learning. */
  readonly supervised?: Readonly<Record<string, number>>
  /** Per word that was read, in 16 bits; null: it has no cache. */
  readonly bytesPerToken?: number | null
  /** Words or letters per second. */
  readonly speed?: { readonly cached: number | null; readonly uncached: number }
  /** What else was found, a sentence each. */
  readonly notes: readonly string[]
  /** How it continues a text. */
  readonly sample?: { readonly begun: string; readonly continued: string }
}

export type ClimbEvent =
  | { readonly type: 'begin'; readonly rung: string; readonly title: string; readonly steps: number }
  | {
      readonly type: 'step'
      readonly rung: string
      readonly step: number
      readonly steps: number
      readonly loss: number
    }
  | { readonly type: 'picture'; readonly file: string }
  | RungResult

interface Ladder {
  readonly RUNGS: Readonly<Record<string, object>>
  climb(folder: string, options: ClimbOptions): AsyncGenerator<ClimbEvent, void, void>
}

export async function loadLadder(): Promise<Ladder> {
  return import(pathToFileURL(join(ownPackage().folder, 'examples', 'ladder', 'climb.mjs')).href)
}
