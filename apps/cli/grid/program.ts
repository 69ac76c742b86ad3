/** examples/grid as the command calls it: a program of the package, written for readers, that is loaded as it is. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from '../exit.ts'
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
  /** The largest of the seeds: how far the loss went up again while it learned, in nats; null: it was not recorded. */
  readonly rise: number | null
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
  const [capacity, { summary }, { picture }] = await Promise.all([
    ofGrid<Pick<Grid, 'DESIGN' | 'cellsOf' | 'keptRuns' | 'runCells'>>('capacity'),
    ofGrid<Pick<Grid, 'summary'>>('summary'),
    ofGrid<Pick<Grid, 'picture'>>('picture'),
  ])
  return { ...capacity, summary, picture }
}

/** A module of examples/grid. */
export function ofGrid<T>(name: string): Promise<T> {
  return import(pathToFileURL(join(ownPackage().folder, 'examples', 'grid', `${name}.mjs`)).href)
}

/** `--text name=file`, given again for others, or a folder with a NAME.txt for each. */
export function namedText(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  const found = at > 0 ? [[text.slice(0, at), text.slice(at + 1)]] : textsIn(text)
  if (found.length > 0) return { ...before, ...Object.fromEntries(found) }
  throw new UsageError(`--text is ${text}; expected name=file, or a folder with texts such as tales.txt`)
}

function textsIn(folder: string): [string, string][] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return []
  const names = readdirSync(folder).filter(name => name.endsWith('.txt'))
  return names.map(name => [name.slice(0, -'.txt'.length), join(folder, name)])
}

/** A name stands for all cells that begin with it. */
export function cellsNamed(all: readonly string[], names: readonly string[]): readonly string[] {
  const isOf = (name: string) => (cell: string) => cell === name || cell.startsWith(`${name}/`)
  const unknown = names.find(name => !all.some(isOf(name)))
  if (unknown !== undefined) {
    const tasks = [...new Set(all.map(cell => cell.split('/')[0]))]
    throw new UsageError(
      `there is no cell ${unknown}; there are ${all[0]} and others, of the tasks ${tasks.join(', ')}`,
    )
  }
  return names.length === 0 ? all : all.filter(cell => names.some(name => isOf(name)(cell)))
}

/** A mean and half of its interval, such as 0.45 ± 0.03. */
export function plus({ mean, half }: Interval, scale: number, digits: number): string {
  const shown = (scale * mean).toFixed(digits)
  return half === null ? shown : `${shown} ± ${(scale * half).toFixed(digits)}`
}
