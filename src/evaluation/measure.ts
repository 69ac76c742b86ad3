import type { Parts } from '../engine/load-parts.ts'
import type { ModelInfo } from '../engine/results.ts'
import type { EncodableType } from '../kernels/blocks/numbers.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { Comparison, type Divergence } from './comparison.ts'
import { summarise } from './distribution.ts'
import type { Reference } from './reference.ts'
import { ReferenceWriter } from './reference-writer.ts'
import { scoredRows } from './scored-rows.ts'
import { type Estimate, estimate, exponential } from './statistics.ts'
import type { Windows } from './windows.ts'

export interface WindowProgress {
  readonly done: number
  readonly windows: number
  /** Over the windows done. */
  readonly perplexity: number
}

export interface PerplexityReport {
  readonly model: ModelInfo
  /** The type that the weights were turned into; null: as stored. */
  readonly weights: EncodableType | null
  readonly exact: boolean
  readonly text: {
    /** Of the whole text. */
    readonly tokens: number
    readonly windows: number
    /** Tokens of a window, and from one's beginning to the next one's. */
    readonly window: number
    readonly step: number
    /** Tokens that count, and the bytes of text that they are. */
    readonly scored: number
    readonly scoredBytes: number
  }
  readonly perplexity: Estimate
  readonly natsPerToken: Estimate
  readonly bitsPerToken: number
  /** Comparable between tokenizers. */
  readonly natsPerByte: number
  readonly bitsPerByte: number
  /** Perplexity over the first 1, 2, … windows. */
  readonly afterEachWindow: readonly number[]
  /** null where nothing was compared with. */
  readonly divergence: Divergence | null
  readonly speed: { readonly tokens: number; readonly seconds: number; readonly tokensPerSecond: number }
}

export interface MeasureOptions {
  /** How the model was loaded, for the report. */
  readonly weights?: EncodableType
  readonly exact?: boolean
  /** A file to keep the model's distributions in. */
  readonly saveReference?: string
  readonly onWindow?: (progress: WindowProgress) => void
  readonly signal?: AbortSignal
}

/** Scores all windows. Model and reference stay the caller's to dispose of. */
export async function measure(
  { model, info, tokenizer }: Parts,
  windows: Windows,
  reference: Reference | null,
  { weights, exact = false, saveReference, onWindow, signal }: MeasureOptions,
): Promise<PerplexityReport> {
  const { vocabSize } = model.config
  const name = [info.name, weights, exact && 'exact'].filter(Boolean).join(', ')
  const nll = new Float64Array(windows.scored)
  const comparison = reference && new Comparison(windows.scored)
  const writer =
    saveReference === undefined ? null : await ReferenceWriter.create(saveReference, name, windows, vocabSize)
  const afterEachWindow: number[] = []
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
      afterEachWindow.push(Math.exp(sum / row))
      onWindow?.({ done: window + 1, windows: windows.list.length, perplexity: Math.exp(sum / row) })
    }
    await writer?.finish()
  } catch (error) {
    await writer?.abandon()
    throw error
  }
  const natsPerToken = estimate(nll)
  const scoredBytes = bytesOf(tokenizer, windows)
  const natsPerByte = sum / scoredBytes
  const run = windows.list.length * (windows.size - 1)
  return {
    model: info,
    weights: weights ?? null,
    exact,
    text: {
      tokens: windows.textTokens,
      windows: windows.list.length,
      window: windows.size,
      step: windows.step,
      scored: windows.scored,
      scoredBytes,
    },
    perplexity: exponential(natsPerToken),
    natsPerToken,
    bitsPerToken: natsPerToken.mean / Math.LN2,
    natsPerByte,
    bitsPerByte: natsPerByte / Math.LN2,
    afterEachWindow,
    divergence: comparison && reference ? comparison.result(reference.name, nll) : null,
    speed: { tokens: run, seconds: ms / 1000, tokensPerSecond: run / (ms / 1000) },
  }
}

/** Bytes of text that the scored tokens are. */
function bytesOf(tokenizer: Tokenizer, { list, from }: Windows): number {
  let bytes = 0
  for (const tokens of list) for (const id of tokens.subarray(from)) bytes += tokenizer.tokenBytes(id).length
  return bytes
}
