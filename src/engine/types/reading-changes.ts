/** Changes of how a text is read, checked when it is known how many tokens the text has. */
import { OptionError } from '../../errors.ts'
import { nearest } from '../../options/nearest.ts'
import { readOptions } from '../../options/read-options.ts'
import { show } from '../../options/show.ts'
import type { Change, Span } from '../../reading/questions.ts'
import type { ReadingChange } from './options/change.ts'
import { CHANGE_OPTIONS } from './options/change.ts'

/** Another text's reading. */
export interface KnownSource {
  readonly tokens: number
}

export interface ChangedText<From> {
  /** Heads of each layer. */
  readonly heads: readonly number[]
  /** Of each layer the earlier one whose keys and values it reads; null: it stores its own. */
  readonly keysOf: readonly (number | null)[]
  readonly tokens: number
  /** The reading of that number. Throws DisposedError. */
  source(from: number): From
}

const KINDS = Object.keys(CHANGE_OPTIONS)

/** Throws OptionError with the place of what is wrong. */
export function readChanges<From extends KnownSource>(
  changes: readonly unknown[],
  text: ChangedText<From>,
): Change<From>[] {
  return changes.flatMap((change: unknown, i) => readChange(change, `changes[${i}]`, text))
}

function readChange<From extends KnownSource>(given: unknown, name: string, text: ChangedText<From>): Change<From>[] {
  if (typeof given !== 'object' || given === null)
    throw new OptionError(`${name} is ${show(given)}; expected an object`)
  const { kind, from, ...rest } = given as { kind?: unknown; from?: unknown }
  if (typeof kind !== 'string' || !KINDS.includes(kind)) {
    const meant = typeof kind === 'string' ? nearest(kind, KINDS) : undefined
    throw new OptionError(
      `${name}.kind is ${show(kind)}; ${meant ? `did you mean ${meant}?` : `expected ${KINDS.join(', ')}`}`,
    )
  }
  const table = CHANGE_OPTIONS[kind as ReadingChange['kind']]
  const change = readOptions<Record<string, unknown>>(table, name, rest) as Partial<
    Extract<ReadingChange, { kind: 'head' }>
  > & {
    rows?: readonly number[]
    of?: 'latent' | 'keys' | 'values'
    rank?: number
  }
  const needed = (key: 'layer' | 'head' | 'rank' | 'of') => {
    if (change[key] === undefined) throw new OptionError(`${name} has no ${key}; a change of kind ${kind} needs one`)
  }
  const depth = text.heads.length
  if (kind === 'rank') {
    needed('of')
    needed('rank')
    const { layer, of = 'latent', rank = 0 } = change
    const all = text.heads.flatMap((heads, i) => (heads > 0 && text.keysOf[i] === null ? [i] : []))
    const layers = layer === undefined ? all : [storing(`${name}.layer`, layer, text)]
    return layers.map(layer => ({ kind, layer, of, rank }))
  }
  needed('layer')
  const at = change.layer as number
  const layer = kind === 'state' ? placeOf(`${name}.layer`, at, depth + 1) : attending(`${name}.layer`, at, text.heads)
  if (kind !== 'state') needed('head')
  const head = kind === 'state' ? 0 : placeOf(`${name}.head`, change.head as number, text.heads[layer] as number)
  if (kind === 'off') return [{ kind, layer, head, rows: spanOf(`${name}.rows`, change.rows, text.tokens) }]
  if (typeof from !== 'number')
    throw new OptionError(`${name}.from is ${show(from)}; expected a reading of this engine`)
  const source = text.source(from)
  const rows = { ...rowsOf(name, change, text.tokens, source.tokens), from: source }
  return [kind === 'head' ? { kind, layer, head, ...rows } : { kind: 'state', layer, ...rows }]
}

function rowsOf(
  name: string,
  { row, fromRow, count }: { readonly row?: number; readonly fromRow?: number; readonly count?: number },
  tokens: number,
  others: number,
): { readonly row: number; readonly fromRow: number; readonly count: number } {
  if (row === undefined && count === undefined && tokens !== others) {
    throw new OptionError(
      `${name} takes all tokens of a text of ${others} for one of ${tokens}; give row and fromRow where they differ in length`,
    )
  }
  const to = placeOf(`${name}.row`, row ?? 0, tokens)
  const at = placeOf(`${name}.fromRow`, fromRow ?? row ?? 0, others)
  const n = count ?? (row === undefined ? tokens : 1)
  if (to + n <= tokens && at + n <= others) return { row: to, fromRow: at, count: n }
  throw new OptionError(
    `${name} takes ${n} tokens from ${at} on of a text of ${others}, for those from ${to} on of one of ${tokens}; some of them are not there`,
  )
}

/** Positions from .. to, as `slice` reads them. Throws OptionError where there is none between them. */
export function spanOf(name: string, given: readonly number[] | undefined, count: number): Span {
  if (!given) return [0, count]
  const [from, to] = given.map(at => Math.min(Math.max(at < 0 ? at + count : at, 0), count))
  if (given.length === 2 && from !== undefined && to !== undefined && from < to) return [from, to]
  throw new OptionError(
    `${name} is [${given.join(', ')}]; expected two positions from and to of a text of ${count} tokens, from below to`,
  )
}

/** An index; negative ones count from the end. */
export function placeOf(name: string, index: number, count: number): number {
  const at = index < 0 ? index + count : index
  if (at >= 0 && at < count) return at
  throw new OptionError(`${name} is ${index}; expected ${-count} to ${count - 1}`)
}

/** The index of a layer that attends; negative ones count from the end. `heads`: of each layer. */
export function attending(name: string, index: number, heads: readonly number[]): number {
  const at = placeOf(name, index, heads.length)
  if ((heads[at] as number) > 0) return at
  const others = heads.flatMap((count, i) => (count > 0 ? [i] : []))
  throw new OptionError(
    `${name} is ${index}; layer ${at} carries a state in place of keys and attends to nothing. Expected a layer that attends: ${others.join(', ')}`,
  )
}

/** The index of a layer that attends and stores keys and values of its own; negative ones count from the end. */
export function storing(
  name: string,
  index: number,
  { heads, keysOf }: Pick<ChangedText<unknown>, 'heads' | 'keysOf'>,
): number {
  const at = attending(name, index, heads)
  const source = keysOf[at] ?? null
  if (source === null) return at
  throw new OptionError(
    `${name} is ${index}; layer ${at} stores no keys and values: it reads those of layer ${source}. Expected ${source}`,
  )
}

/** Changes of a text of so many tokens, for one that goes on: places that are counted from its end stay where they were. */
export function anchoredChanges(changes: readonly object[], tokens: number): object[] {
  const start = (at: number) => (at < 0 ? at + tokens : at)
  return changes.map(change => {
    const { rows, row, fromRow, count } = change as {
      rows?: readonly number[]
      row?: number
      fromRow?: number
      count?: number
    }
    if (rows) return { ...change, rows: rows.map(at => Math.min(start(at), tokens)) }
    if (!('from' in change)) return change
    if (row === undefined) return { ...change, row: 0, fromRow: fromRow ?? 0, count: count ?? tokens }
    return { ...change, row: start(row), fromRow: fromRow ?? row }
  })
}
