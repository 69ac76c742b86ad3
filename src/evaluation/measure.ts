import type { Parts } from '../engine/load/load-parts.ts'
import type { ModelInfo } from '../engine/types/results.ts'
import type { EncodableType } from '../quant/numbers.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { Comparison, type Divergence } from './comparison.ts'
import { summarise } from './distribution.ts'
import type { Reference } from './reference.ts'
import { ReferenceWriter } from './reference-writer.ts'
import { scoredRows } from './scored-rows.ts'
import { type Estimate, estimate, exponential } from './statistics.ts'
import type { Windows } from './windows.ts'

/** Reported after each window of `measurePerplexity`. */
export interface WindowProgress {
  /** Finished windows. */
  readonly done: number
  /** Windows to measure. */
  readonly windows: number
  /** Perplexity over the finished windows. */
  readonly perplexity: number
  /** The window finished last. */
  readonly window: WindowResult
}

/** The result of a single window. */
export interface WindowResult {
  /** Number of scored tokens. */
  readonly scored: number
  /** Mean of -ln p over the scored tokens. */
  readonly natsPerToken: number
  /** exp of `natsPerToken`. */
  readonly perplexity: number
  /** Mean Kullback-Leibler divergence from the reference, in nats per token; null without a reference. */
  readonly kl: number | null
  /** Share of scored positions where the reference has the same likeliest token, 0 to 1; null without a reference. */
  readonly top1: number | null
}

/** Result of `measurePerplexity`. */
export interface PerplexityReport {
  /** The measured model. */
  readonly model: ModelInfo
  /** The type that weights were converted to; null: as stored. */
  readonly weights: EncodableType | null
  /** The `exact` option. */
  readonly exact: boolean
  /** The text and its windows. */
  readonly text: {
    /** Tokens of the whole text. */
    readonly tokens: number
    /** Windows that were measured. */
    readonly windows: number
    /** Windows that were planned: more than `windows` if interrupted. */
    readonly wantedWindows: number
    /** Tokens per window. */
    readonly window: number
    /** Tokens between the starts of two windows. */
    readonly step: number
    /** Number of scored tokens. */
    readonly scored: number
    /** Bytes of the scored tokens' text. */
    readonly scoredBytes: number
  }
  /** exp of the mean of -ln p over all scored tokens. */
  readonly perplexity: Estimate
  /** Mean of -ln p over all scored tokens. */
  readonly natsPerToken: Estimate
  /** `natsPerToken` / ln 2. */
  readonly bitsPerToken: number
  /** Sum of -ln p divided by `scoredBytes`. Comparable between tokenizers. */
  readonly natsPerByte: number
  /** `natsPerByte` / ln 2. Comparable between tokenizers. */
  readonly bitsPerByte: number
  /** Perplexity over the first 1, 2, … windows. */
  readonly afterEachWindow: readonly number[]
  /** Each window alone, in order. */
  readonly eachWindow: readonly WindowResult[]
  /** The signal aborted before the last window was finished. */
  readonly interrupted: boolean
  /** null without a reference. */
  readonly divergence: Divergence | null
  /** Speed of the model's steps alone. */
  readonly speed: {
    /** Tokens that the model read: all but the last of each window. */
    readonly tokens: number
    /** Time of the steps. */
    readonly seconds: number
    /** `tokens` / `seconds`. */
    readonly tokensPerSecond: number
  }
}

export interface MeasureOptions {
  /** How the model was loaded, for the report. */
  readonly weights?: EncodableType
  readonly exact?: boolean
  /** A file to store the model's distributions in. */
  readonly saveReference?: string
  readonly onWindow?: (progress: WindowProgress) => void
  /** If the signal aborts after the first window: return the finished windows instead of throwing. Default false. */
  readonly partial?: boolean
  readonly signal?: AbortSignal
}

/** Scores all windows. The caller disposes of model and reference. */
export async function measure(
  { model, info, tokenizer }: Parts,
  windows: Windows,
  reference: Reference | null,
  { weights, exact = false, saveReference, onWindow, partial = false, signal }: MeasureOptions,
): Promise<PerplexityReport> {
  const { vocabSize } = model.config
  const name = [info.name, weights, exact && 'exact'].filter(Boolean).join(', ')
  const nll = new Float64Array(windows.scored)
  const comparison = reference && new Comparison(windows.scored)
  const writer =
    saveReference === undefined ? null : await ReferenceWriter.create(saveReference, name, windows, vocabSize)
  const afterEachWindow: number[] = []
  const eachWindow: WindowResult[] = []
  const scoredEach = windows.size - windows.from
  let sum = 0
  let row = 0
  let ms = 0
  try {
    for await (const { window, last, logits, targets, ms: spent } of scoredRows(model, windows, signal)) {
      ms += spent
      const theirs = await reference?.next(targets.length)
      for (const [i, target] of targets.entries()) {
        const own = logits.subarray(i * vocabSize, (i + 1) * vocabSize)
        const summary = summarise(own)
        const lost = summary.logSum - (own[target] as number)
        if (theirs) comparison?.add(theirs, i, own, summary, target)
        writer?.add(own, summary, lost)
        nll[row++] = lost
        sum += lost
      }
      await writer?.flush()
      if (!last) continue
      const perplexity = Math.exp(sum / row)
      const result = resultOf(nll.subarray(row - scoredEach, row), comparison?.between(row - scoredEach, row))
      afterEachWindow.push(perplexity)
      eachWindow.push(result)
      onWindow?.({ done: window + 1, windows: windows.list.length, perplexity, window: result })
    }
    await writer?.finish()
  } catch (error) {
    await writer?.abandon()
    if (!partial || !signal?.aborted || eachWindow.length === 0) throw error
  }
  const done: Windows = {
    ...windows,
    list: windows.list.slice(0, eachWindow.length),
    scored: eachWindow.length * scoredEach,
  }
  const scoredNll = nll.subarray(0, done.scored)
  const natsPerToken = estimate(scoredNll)
  const scoredBytes = bytesOf(tokenizer, done)
  const natsPerByte = (natsPerToken.mean * done.scored) / scoredBytes
  const run = done.list.length * (windows.size - 1)
  return {
    model: info,
    weights: weights ?? null,
    exact,
    text: {
      tokens: windows.textTokens,
      windows: done.list.length,
      wantedWindows: windows.list.length,
      window: windows.size,
      step: windows.step,
      scored: done.scored,
      scoredBytes,
    },
    perplexity: exponential(natsPerToken),
    natsPerToken,
    bitsPerToken: natsPerToken.mean / Math.LN2,
    natsPerByte,
    bitsPerByte: natsPerByte / Math.LN2,
    afterEachWindow,
    eachWindow,
    interrupted: done.list.length < windows.list.length,
    divergence: comparison && reference ? comparison.result(reference.name, scoredNll) : null,
    speed: { tokens: run, seconds: ms / 1000, tokensPerSecond: run / (ms / 1000) },
  }
}

function resultOf(
  nll: Float64Array,
  against: { readonly kl: number; readonly top1: number } | undefined,
): WindowResult {
  const { mean } = estimate(nll)
  const [kl, top1] = against ? [against.kl, against.top1] : [null, null]
  return { scored: nll.length, natsPerToken: mean, perplexity: Math.exp(mean), kl, top1 }
}

/** Bytes of the scored tokens' text. */
function bytesOf(tokenizer: Tokenizer, { list, from }: Windows): number {
  let bytes = 0
  for (const tokens of list) for (const id of tokens.subarray(from)) bytes += tokenizer.tokenBytes(id).length
  return bytes
}
