/** examples/grid as the command calls it: a program of the package, written for readers, that is loaded as it is. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ownPackage } from '../package.ts'

/** A mean over seeds. */
export interface Interval {
  readonly mean: number
  /** Of the interval of 95 %; null of a single run. */
  readonly half: number | null
}

/** A row of the table. */
export interface GridRow {
  readonly task: string
  readonly attention: string
  /** Of the cache, per token, in 16 bits. */
  readonly bytesPerToken: number
  readonly parameters: number
  readonly runs: number
  /** In nats, of texts that were not learned from. */
  readonly loss: Interval
  /** Share of answers, 0 to 1; null: nothing is asked. */
  readonly right: Interval | null
  /** Of losses, by the same seeds; null: it is the one that is compared with. */
  readonly difference: Interval | null
  readonly verdict: 'better' | 'same' | 'worse' | 'open' | null
}

/** What a cell has learned. */
export interface CellResult {
  readonly type: 'result'
  readonly cell: string
  readonly loss: number
  readonly seconds: number
  /** SHA-256 of all numbers. */
  readonly digest: string
  /** Such as `native (avx2)`. */
  readonly kernels: string
  /** All that decides what is learned, but the text. */
  readonly settings: object
  /** SHA-256 of the text; absent where the task makes its own. */
  readonly text?: string
}

export type GridEvent =
  | { readonly type: 'begin'; readonly cell: string }
  | {
      readonly type: 'step'
      readonly cell: string
      readonly step: number
      readonly steps: number
      readonly loss: number
    }
  | CellResult

/** Options of `runCells`. */
export interface GridOptions {
  readonly cells?: readonly string[]
  /** Files by name. */
  readonly texts?: Readonly<Record<string, string>>
  /** In place of the tasks' own. */
  readonly steps?: number
  readonly threads?: number
}

export interface Design {
  /** The kind of attention that others are compared with. */
  readonly against: string
  /** Losses that differ by less are the same, in nats. */
  readonly margin: number
}

export interface Grid {
  readonly DESIGN: Design
  cellsOf(): string[]
  keptRuns(): Promise<CellResult[]>
  runCells(folder: string, options: GridOptions): AsyncGenerator<GridEvent, void, void>
  summary(design: Design, results: readonly CellResult[]): GridRow[]
  picture(rows: readonly GridRow[], against: string): string
}

export async function loadGrid(): Promise<Grid> {
  const file = (name: string) => pathToFileURL(join(ownPackage().folder, 'examples', 'grid', name)).href
  const [capacity, { summary }, { picture }] = await Promise.all([
    import(file('capacity.mjs')),
    import(file('summary.mjs')),
    import(file('picture.mjs')),
  ])
  return { ...capacity, summary, picture }
}
