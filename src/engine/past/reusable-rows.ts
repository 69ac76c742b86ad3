/**
 * Which cached rows a prompt may reuse: rows that a cold run would compute bit for bit, told from rows that are equal to
 * rounding only by their provenance.
 */
import { type AttentionPath, PATH_GRID, type PromptExtent } from '../../nn/attention/path.ts'
import { EDITED, EXPANDED, FOREIGN, GENERATED, LONG_ROPE, type RowRules, rowProvenance } from '../../nn/provenance.ts'

/** Whether only its own session may use the row: it was moved, or comes from a file that others need not believe. */
export function isPrivate(flags: number): boolean {
  return (flags & (EDITED | FOREIGN)) !== 0
}

/** A cold run of a prompt would not have the row like this: it was generated, or moved. */
function isOfPast(flags: number): boolean {
  return (flags & (GENERATED | EDITED)) !== 0
}

/** The beginning of some timeline whose rows are there. */
export interface CachedRows {
  readonly ids: readonly number[]
  /** One per id. */
  readonly provenance: readonly number[]
  /** The most rows, up to `rows`, behind which a sequence can go on: a window may have passed what would be needed. */
  usable(rows: number): number
}

export interface Reuse<C = CachedRows> {
  /** Whose rows. */
  readonly from: C
  /** Rows to keep: fewer than the prompt's tokens, since the last one must be run for its logits. */
  readonly rows: number
  /** Of the tokens that are run. From 0: the result is bit for bit that of a cold run. */
  readonly extent: PromptExtent
}

export interface ReuseOptions {
  /** Only rows that a cold run would compute bit for bit. */
  readonly strict?: boolean
  /** The path that the prompt's tokens are forced on. */
  readonly path?: AttentionPath
  /** Ids from here on were generated after the prompt. Default: none. */
  readonly promptLength?: number
}

/** Whether a row is the one that a cold run of a prompt of `length` tokens would compute, or equal to it to rounding. */
export function rowFits(
  rules: RowRules,
  length: number,
  options: ReuseOptions,
): Record<'exact' | 'near', (flags: number, position: number) => boolean> {
  const { path, promptLength = length } = options
  const cold = [
    ...rowProvenance(rules, 0, promptLength, { start: 0, end: promptLength }, path),
    ...rowProvenance(rules, promptLength, length - promptLength, null, path),
  ]
  const agree = (mask: number) => (flags: number, position: number) =>
    ((flags ^ (cold[position] as number)) & mask) === 0
  return { exact: agree(EXPANDED | LONG_ROPE | EDITED), near: agree(LONG_ROPE) }
}

/**
 * How many cached rows a prompt of these ids may reuse, and whose. Rows of the provenance that a cold run would give
 * them are always kept, and the extent is that of a cold run. Rows that are only equal to rounding are kept too,
 * with an extent that begins behind them, unless `strict`, or unless they are prompt rows and so few (less than a grid
 * cell: the tail of an earlier prompt) that computing them again is cheaper than giving up equality. Of equal offers
 * the first is taken.
 */
export function reusableRows<C extends CachedRows>(
  rules: RowRules,
  offers: readonly [C, ...C[]],
  ids: readonly number[],
  options: ReuseOptions = {},
): Reuse<C> {
  const fits = rowFits(rules, ids.length, options)
  const end = options.promptLength ?? ids.length
  const longest = (kind: 'exact' | 'near') =>
    offers.map(from => ({ from, rows: from.usable(fittingRows(from, ids, fits[kind])) })).reduce(more)
  const exact = longest('exact')
  const near = longest('near')
  const few = near.rows - exact.rows < PATH_GRID && !near.from.provenance.slice(exact.rows, near.rows).some(isOfPast)
  if (options.strict || near.rows <= exact.rows || few) return { ...exact, extent: { start: 0, end } }
  return { ...near, extent: { start: Math.min(near.rows, end), end } }
}

function more<T extends { readonly rows: number }>(a: T, b: T): T {
  return b.rows > a.rows ? b : a
}

function fittingRows(
  cached: CachedRows,
  ids: readonly number[],
  fits: (flags: number, position: number) => boolean,
): number {
  const most = Math.min(cached.ids.length, ids.length - 1)
  let n = 0
  while (n < most && cached.ids[n] === ids[n] && fits(cached.provenance[n] as number, n)) n++
  return n
}
