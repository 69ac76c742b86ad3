/** One way of computing a checkpoint, and how far it may be from the expected numbers. */

import { type CacheTypeName, rowTypes } from '../../cache/types.ts'
import type { AttentionPath } from '../../nn/attention/path.ts'
import type { ExpectedPrompt } from './expected.ts'
import type { Prefill, PromptErrors } from './run.ts'
import type { SelectionErrors } from './selection.ts'

/**
 * How products with quantised weights are computed: `exact`, dequantised with f32 activations, or on the blocks with
 * activations of 8 bits, as the engine does unless told otherwise. Other weights have one way, which is exact.
 */
export type Arithmetic = 'exact' | '8-bit'

/**
 * What a cache of each type may cost. f32: worst error of any number; 16 bit: rms of the logits, or with experts its
 * median over positions: where two experts are close, any rounding chooses the other one for a token, and changes it wholly.
 */
const TOLERANCE = { f32: 2e-4, f16: 0.02, bf16: 0.1, int8: 0.2, fp8: 0.5 } as const

/**
 * The same for 8-bit activations. llama.cpp's rms is 0.05 to 0.09 for dense models; with experts its median is some 0.15
 * for 3 layers and 0.4 for 26. How often the likeliest token is another one is held over all files together.
 */
const TOLERANCE_8_BIT = { dense: 0.15, experts: 0.6 } as const

/** Of what indexers give keys, exact and with an f32 cache. Small: what decides is how close two keys are. */
const SCORE_TOLERANCE = 5e-6

/**
 * What the two exact bounds are multiplied by for instruction sets that round more often. `simd128` has no fused multiply-add, so each
 * term of a sum is rounded twice: on all fixtures its worst errors are one to four times those of the native kernels.
 */
const ROUNDING: Readonly<Record<string, number>> = { simd128: 2 }

/**
 * The share of keys that indexers may choose otherwise with a cache that rounds. Where one is, it counts in place of the logits: a key across
 * the border changes its token wholly.
 */
const CHOICE_TOLERANCE = { f32: 0, f16: 0.01, bf16: 0.05, int8: 0.1, fp8: 0.1 } as const

/** How many tokens agree. */
export interface Agreement {
  /** Tokens that agree. */
  readonly agreeing: number
  /** Tokens that were compared. */
  readonly expected: number
}

/** One combination of kernels, arithmetic, cache type, path and prefill, and its errors. */
export interface VerifyRow {
  /** The name given in `VerifyOptions.kernels`. */
  readonly kernels: string
  /** How products with quantised weights were computed. */
  readonly arithmetic: Arithmetic
  /** Type of the cached numbers. */
  readonly cacheType: CacheTypeName
  /** null: grouped attention has one path. */
  readonly path: AttentionPath | null
  /** How the prompt was read. */
  readonly prefill: Prefill
  /** Worst |error| / (1 + |expected|) of the logits over all prompts. */
  readonly logitError: number
  /** Root mean square of the logits' error over all positions of all prompts. */
  readonly logitRms: number
  /** Median over positions of the root mean square of the logits' error. */
  readonly logitMedian: number
  /** Worst error of each hidden state: embedding, after each layer, after the final norm. null if none is expected. */
  readonly hiddenErrors: readonly number[] | null
  /** The same of an encoder-decoder's encoder, its worst state. null if none is expected. */
  readonly encoderError: number | null
  /**
   * First layer (from 1; 0 is the embedding) whose hidden state is out of tolerance, `encoder` if one of the encoder's is; checked for
   * exact f32 only.
   */
  readonly firstDivergingLayer: number | 'encoder' | null
  /** Worst error of the attention probabilities, cross-attention included, as in `logitError`; null if none are expected. */
  readonly attentionError: number | null
  /** Worst error of the scores that indexers give, and keys that are chosen otherwise; null if none are expected. */
  readonly selection: SelectionErrors | null
  /** Positions of the prompts whose likeliest token is the expected one. */
  readonly top1: Agreement
  /**
   * Tokens of greedy text that agree; null where not run. Exact: before the first that does not. 8-bit: all, each after
   * the expected ones.
   */
  readonly greedy: Agreement | null
  /** Whether the errors are within the tolerance of this arithmetic and cache type. */
  readonly passed: boolean
}

export type Way = Pick<VerifyRow, 'kernels' | 'arithmetic' | 'cacheType' | 'path' | 'prefill'>

/** `isa`: the instruction set that computed it. `experts`: the model routes tokens to experts. */
export function summarise(
  way: Way,
  isa: string,
  experts: boolean,
  expected: readonly ExpectedPrompt[],
  results: readonly PromptErrors[],
): VerifyRow {
  const sum = <T>(list: readonly T[], count: (item: T) => number) => list.reduce((n, item) => n + count(item), 0)
  const logitError = Math.max(...results.map(r => r.logits))
  const squares = results.flatMap(r => r.meanSquares).sort((a, b) => a - b)
  const logitRms = Math.sqrt(sum(squares, s => s) / squares.length)
  const logitMedian = Math.sqrt(squares[Math.floor(squares.length / 2)] as number)
  const hiddenErrors = worstPerLayer(results.flatMap(r => (r.hidden ? [r.hidden] : [])))
  const encoder = results.flatMap(r => r.encoder ?? [])
  const encoderError = encoder.length > 0 ? Math.max(...encoder) : null
  const attention = results.flatMap(r => r.attention ?? [])
  const attentionError = attention.length > 0 ? Math.max(...attention) : null
  const selection = worstSelection(results.flatMap(r => r.selection ?? []))
  const top1 = { agreeing: sum(results, r => r.topAgreeing), expected: sum(expected, p => p.tokens.length) }
  const ran = results.some(r => r.greedyAgreeing !== null)
  const greedy = ran
    ? { agreeing: sum(results, r => r.greedyAgreeing ?? 0), expected: sum(expected, p => p.greedy?.length ?? 0) }
    : null

  const { first, second } = rowTypes(way.cacheType, 'latent')
  const exact = way.arithmetic === 'exact' && way.cacheType === 'f32'
  const rounding = exact ? (ROUNDING[isa] ?? 1) : 1
  const tolerance = rounding * Math.max(TOLERANCE[first], TOLERANCE[second])
  const layer = hiddenErrors?.findIndex(e => e > tolerance) ?? -1
  const inDecoder = layer < 0 ? null : layer
  const diverging = !exact ? null : (encoderError ?? 0) > tolerance ? 'encoder' : inDecoder
  const roundingTolerance = way.arithmetic === 'exact' ? tolerance : TOLERANCE_8_BIT[experts ? 'experts' : 'dense']
  const passed = exact
    ? logitError <= tolerance &&
      diverging === null &&
      (attentionError ?? 0) <= tolerance &&
      (selection?.scores ?? 0) <= rounding * SCORE_TOLERANCE &&
      (selection?.differing ?? 0) === 0 &&
      (greedy === null || greedy.agreeing === greedy.expected)
    : selection && selection.differing > 0
      ? selection.differing <= CHOICE_TOLERANCE[first] * selection.expected
      : (experts ? logitMedian : logitRms) <= roundingTolerance
  return {
    ...way,
    logitError,
    logitRms,
    logitMedian,
    hiddenErrors,
    encoderError,
    firstDivergingLayer: diverging,
    attentionError,
    selection,
    top1,
    greedy,
    passed,
  }
}

function worstSelection(all: readonly SelectionErrors[]): SelectionErrors | null {
  if (all.length === 0) return null
  const scores = all.flatMap(({ scores }) => scores ?? [])
  return {
    scores: scores.length > 0 ? Math.max(...scores) : null,
    differing: all.reduce((sum, { differing }) => sum + differing, 0),
    expected: all.reduce((sum, { expected }) => sum + expected, 0),
  }
}

function worstPerLayer(all: readonly (readonly number[])[]): number[] | null {
  if (all.length === 0) return null
  return (all[0] as readonly number[]).map((_, layer) => Math.max(...all.map(errors => errors[layer] as number)))
}
