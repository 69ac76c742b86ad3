import { OptionError } from '../errors.ts'
import type { RowSlice, Sequences } from '../kernels/contract/cached-rows.ts'
import { number, whole } from '../options/kinds.ts'
import { readArgument } from '../options/read-options.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import { hidden } from './attend.ts'
import { expectShape } from './shapes.ts'
import type { Workbench } from './workbench.ts'

/** Of a position: kernels have them in 32 bits, and count on from there. */
const MOST = 2 ** 30

/** What queries look at. */
export interface QueriesKeysValues {
  /** [T, H, d] */
  readonly queries: Tensor
  /** [S, G, d]; query head h reads key head floor(h G / H). */
  readonly keys: Tensor
  /** [S, G, V] */
  readonly values: Tensor
}

/** Options of `dotProductAttention`. */
export interface DotProductOptions {
  /** Factor of q · k. Default d^-0.5. */
  readonly scale?: number
  /** A query sees keys at its own position and before it. Default true; false for cross-attention and encoders: it sees all. */
  readonly causal?: boolean
  /** Position of the first key. Default 0. */
  readonly firstKey?: number
  /** Position of the first query. Default: the queries are the last of the keys' positions. */
  readonly firstQuery?: number
  /** A query sees only the last `window` positions, its own included. Default: all. */
  readonly window?: number
  /** Beside a window, keys at the first positions that stay visible (StreamingLLM, arXiv 2309.17453). Default 0. */
  readonly sinkTokens?: number
  /** Whether each of the S keys may be seen at all, as padding may not. Default: all. */
  readonly mask?: ArrayLike<number | boolean>
  /** One more logit per head in the denominator, without a value (gpt-oss): [H]. Default: none. */
  readonly sinkLogits?: Tensor
  /** Return the probabilities, too. Default false. */
  readonly pattern?: boolean
}

/** Result of `dotProductAttention`. */
export interface DotProductResult {
  /** [T, H, V]; zeros where a query sees no key. */
  readonly out: Tensor
  /** Natural log of the sum of exponentials [T, H]; -Infinity where a query sees no key. */
  readonly lse: Tensor
  /** Probabilities [H, T, S], 0 where masked; null unless asked for. */
  readonly pattern: Tensor | null
}

/**
 * softmax(scale q kᵀ) v (arXiv 1706.03762, eq. 1), with as many key heads as there are (MHA, GQA, MQA), causal or not: self-attention and
 * cross-attention. Throws OptionError for shapes that do not fit together.
 */
export function dotProductAttention(
  bench: Workbench,
  { queries, keys, values }: QueriesKeysValues,
  options: DotProductOptions = {},
): DotProductResult {
  const [T, H, d] = expectShape('queries', queries, [
    ['T', null],
    ['H', null],
    ['d', null],
  ]) as [number, number, number]
  const [S, G] = expectShape('keys', keys, [
    ['S', null],
    ['G', null],
    ['d', d],
  ]) as [number, number]
  const [, , V] = expectShape('values', values, [
    ['S', S],
    ['G', G],
    ['V', null],
  ]) as [number, number, number]
  if (G === 0 || H % G !== 0) throw new OptionError(`keys has ${G} heads; expected a divisor of the ${H} query heads`)
  const { causal = true, window, mask, sinkLogits, scale = d ** -0.5, firstKey = 0, sinkTokens = 0 } = options
  readArgument(number(), 'scale', scale)
  for (const [name, value, least] of [
    ['firstKey', firstKey, 0],
    ['firstQuery', options.firstQuery ?? 0, -MOST],
    ['window', window ?? 1, 1],
    ['sinkTokens', sinkTokens, 0],
  ] as const) {
    readArgument(whole(least, MOST), name, value)
  }
  if (!causal && window !== undefined) throw new OptionError('window is for causal attention; expected causal true')
  if (!causal && options.firstQuery !== undefined)
    throw new OptionError(
      'firstQuery is for causal attention, where it decides what a query sees; expected causal true',
    )
  if (sinkLogits) expectShape('sinkLogits', sinkLogits, [['H', H]])
  const spans = visible(S, mask, window === undefined ? 0 : sinkTokens - firstKey)
  if (sinkLogits && spans.length > 1)
    throw new OptionError(
      'sinkLogits are for one run of visible keys; expected no sinkTokens, and no mask that hides keys between others',
    )

  const { ops, scratch } = bench
  const out = scratch.take([T, H, V])
  const lse = scratch.take([T, H])
  const pattern = options.pattern ? hidden(bench, [H, T, S]) : null
  const [keyRows, valueRows] = [bench.shaped(keys, [S, G * d]), bench.shaped(values, [S, G * V])]
  // Queries behind the last key see all of them.
  const position = causal ? (options.firstQuery ?? firstKey + S - T) : firstKey + S
  for (const [i, { start, count }] of spans.entries()) {
    const slice = (rows: Tensor, width: number): RowSlice => {
      return { rows: rowsOf(rows, start, count), dtype: 'f32', offset: 0, heads: G, width, headStride: width }
    }
    const numbers = Int32Array.of(0, T, position, firstKey + start, count, 0)
    const sequences: Sequences = { rows: bench.shaped(bench.integers(numbers), [1, numbers.length]) }
    ops.attention({
      out,
      lse,
      q: queries,
      keys: [slice(keyRows, d)],
      values: slice(valueRows, V),
      sequences,
      scale,
      carry: i > 0,
      ...(pattern && { scores: pattern, scoresStart: firstKey }),
      ...(window !== undefined && firstKey + start >= sinkTokens && { window }),
      ...(sinkLogits && { sinkLogits }),
    })
  }
  if (pattern) ops.probabilities(pattern, pattern, lse)
  return { out, lse, pattern }
}

/** Runs of keys that may be seen, cut before key `cut`; one without keys where there is none. */
function visible(S: number, mask: ArrayLike<number | boolean> | undefined, cut: number) {
  if (mask && mask.length !== S)
    throw new OptionError(`mask has ${mask.length} entries; expected ${S}, one for each key`)
  const spans: { start: number; count: number }[] = []
  for (let s = 0; s < S; s++) {
    if (mask && !mask[s]) continue
    const last = spans.at(-1)
    if (last && last.start + last.count === s && s !== cut) last.count++
    else spans.push({ start: s, count: 1 })
  }
  return spans.length > 0 ? spans : [{ start: 0, count: 0 }]
}
