/**
 * Which cached rows a prompt may reuse. A row's bits depend on the ids up to it and on how each of them was computed, its
 * provenance: MLA's path (`pathSpans`) and, with LongRoPE, the set of factors. Provenance is kept per row as flags, so that
 * a prompt can tell rows that a cold run would compute bit for bit from rows that are equal to rounding only.
 */
import { type AttentionPath, PATH_GRID, type PromptExtent, pathSpans } from '../../nn/attention/path.ts'
import { longropeLimit } from '../../nn/attention/rope.ts'
import { hasLatents, type ModelConfig } from '../../nn/config.ts'

const EXPANDED = 1
const LONG_ROPE = 2
const GENERATED = 4
const EDITED = 8
const FOREIGN = 16

/** What decides the provenance of a row, from the model's config. */
export interface RowRules {
  /** MLA: the path matters. */
  readonly latent: boolean
  /** Positions beyond this take LongRoPE's long factors; Infinity without them. */
  readonly ropeLimit: number
}

export function rowRules(config: ModelConfig): RowRules {
  const limits = config.ropes.map(rope => longropeLimit(rope) ?? Number.POSITIVE_INFINITY)
  return { latent: hasLatents(config), ropeLimit: Math.min(Number.POSITIVE_INFINITY, ...limits) }
}

/** The provenance of rows position .. + count, computed as tokens of `prompt` (null: generated). */
export function rowProvenance(
  rules: RowRules,
  position: number,
  count: number,
  prompt: PromptExtent | null,
  forced?: AttentionPath,
): Uint8Array {
  const provenance = new Uint8Array(count)
  if (rules.latent) {
    for (const span of pathSpans(position, count, prompt, forced)) {
      if (span.path === 'expanded') provenance.fill(EXPANDED, span.start, span.start + span.count)
    }
  }
  const longFrom = prompt ? (prompt.end > rules.ropeLimit ? 0 : Number.POSITIVE_INFINITY) : rules.ropeLimit
  for (let i = 0; i < count; i++) {
    if (position + i >= longFrom) provenance[i] = (provenance[i] as number) | LONG_ROPE
    if (!prompt) provenance[i] = (provenance[i] as number) | GENERATED
  }
  return provenance
}

/** Of a row that was moved: no prompt computes it like this. */
export function asEdited(flags: number): number {
  return flags | EDITED
}

/** Of a row that came in a file: its bits are those of its provenance, if the file says the truth. */
export function asForeign(flags: number): number {
  return flags | FOREIGN
}

/** Whether only its own session may use the row: it was moved, or comes from a file that others need not believe. */
export function isPrivate(flags: number): boolean {
  return (flags & (EDITED | FOREIGN)) !== 0
}

/** Whether LongRoPE's long factors rotated the row's key. */
export function usesLongFactors(flags: number): boolean {
  return (flags & LONG_ROPE) !== 0
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
}

/** Whether a row is the one that a cold run of a prompt of `length` tokens would compute, or equal to it to rounding. */
export function rowFits(
  rules: RowRules,
  length: number,
  options: ReuseOptions,
): Record<'exact' | 'near', (flags: number, position: number) => boolean> {
  const cold = rowProvenance(rules, 0, length, { start: 0, end: length }, options.path)
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
  const longest = (kind: 'exact' | 'near') =>
    offers.map(from => ({ from, rows: from.usable(fittingRows(from, ids, fits[kind])) })).reduce(more)
  const exact = longest('exact')
  const near = longest('near')
  const few = near.rows - exact.rows < PATH_GRID && !near.from.provenance.slice(exact.rows, near.rows).some(isOfPast)
  if (options.strict || near.rows <= exact.rows || few) return { ...exact, extent: { start: 0, end: ids.length } }
  return { ...near, extent: { start: near.rows, end: ids.length } }
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
