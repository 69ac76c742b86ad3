/**
 * Which cached rows a prompt may stand on. A row's bits depend on the ids up to it and on the way each of them was
 * computed: MLA's path (`pathSpans`) and, with LongRoPE, the set of factors. Ways are kept per row as small numbers, so
 * that a prompt can tell rows that a cold run would compute bit for bit from rows that are equal to rounding only.
 */
import { type AttentionPath, PATH_GRID, type PromptExtent, pathSpans } from '../attention/path.ts'
import { longropeLimit } from '../attention/rope.ts'
import type { ModelConfig } from '../model/config.ts'

const EXPANDED = 1
const LONG_ROPE = 2
const GENERATED = 4

/** What decides the way of a row, from the model's config. */
export interface RowRules {
  /** MLA: the path matters. */
  readonly latent: boolean
  /** Positions beyond this take LongRoPE's long factors; Infinity without them. */
  readonly ropeLimit: number
}

export function rowRules(config: ModelConfig): RowRules {
  const limits = config.ropes.map(rope => longropeLimit(rope) ?? Number.POSITIVE_INFINITY)
  return { latent: config.attention.kind === 'latent', ropeLimit: Math.min(Number.POSITIVE_INFINITY, ...limits) }
}

/** The ways of rows position .. + count, computed as tokens of `prompt` (null: generated). */
export function rowWays(
  rules: RowRules,
  position: number,
  count: number,
  prompt: PromptExtent | null,
  forced?: AttentionPath,
): Uint8Array {
  const ways = new Uint8Array(count)
  if (rules.latent) {
    for (const span of pathSpans(position, count, prompt, forced)) {
      if (span.path === 'expanded') ways.fill(EXPANDED, span.start, span.start + span.count)
    }
  }
  const longFrom = prompt ? (prompt.end > rules.ropeLimit ? 0 : Number.POSITIVE_INFINITY) : rules.ropeLimit
  for (let i = 0; i < count; i++) {
    if (position + i >= longFrom) ways[i] = (ways[i] as number) | LONG_ROPE
    if (!prompt) ways[i] = (ways[i] as number) | GENERATED
  }
  return ways
}

export function wasGenerated(way: number): boolean {
  return (way & GENERATED) !== 0
}

export interface CachedRows {
  readonly ids: readonly number[]
  /** One per id. */
  readonly ways: readonly number[]
}

export interface Reuse {
  /** Rows to keep: fewer than the prompt's tokens, since the last one must be run for its logits. */
  readonly rows: number
  /** Of the tokens that are run. From 0: the result is bit for bit that of a cold run. */
  readonly extent: PromptExtent
}

/**
 * How much of the cache a prompt of these ids may keep. Rows that a cold run would compute in the same way are always
 * kept, and the extent is that of a cold run. Rows that are only equal to rounding are kept too, with an extent that
 * begins behind them, unless `strict`, or unless they are prompt rows and so few (less than a grid cell: the tail of an
 * earlier prompt) that computing them again is cheaper than giving up equality.
 */
export function reusableRows(
  rules: RowRules,
  cached: CachedRows,
  ids: readonly number[],
  options: { readonly strict?: boolean; readonly path?: AttentionPath } = {},
): Reuse {
  const cold = { start: 0, end: ids.length }
  const most = Math.min(cached.ids.length, ids.length - 1)
  let same = 0
  while (same < most && cached.ids[same] === ids[same]) same++

  const coldWays = rowWays(rules, 0, same, cold, options.path)
  const agree = (mask: number) => {
    let n = 0
    while (n < same && (((cached.ways[n] as number) ^ (coldWays[n] as number)) & mask) === 0) n++
    return n
  }
  const exact = agree(EXPANDED | LONG_ROPE)
  const near = agree(LONG_ROPE)
  const generated = cached.ways.slice(exact, near).some(wasGenerated)
  if (options.strict || exact === near || (near - exact < PATH_GRID && !generated)) return { rows: exact, extent: cold }
  return { rows: near, extent: { start: near, end: ids.length } }
}
