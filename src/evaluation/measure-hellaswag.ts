import { setImmediate as pause } from 'node:timers/promises'
import { loadInNode } from '../engine/host/node/platform.ts'
import { disposeParts } from '../engine/load/load-parts.ts'
import type { LoadOptions } from '../engine/types/options/load.ts'
import { LOAD_OPTIONS } from '../engine/types/options/load.ts'
import type { ModelInfo } from '../engine/types/results.ts'
import { refuseOtherThanDecoder } from '../model/refuse-encoder.ts'
import { anyText, callback, flag, text as nonEmpty, type OptionTable, whole } from '../options/kinds.ts'
import { readArgument, readOptions } from '../options/read-options.ts'
import { answers, readQuestions, type Scores, scoresOf } from './hellaswag.ts'

/** Options of `measureHellaswag`. */
export interface HellaswagOptions
  extends Omit<LoadOptions, 'contextLength' | 'cacheBytes' | 'keptBytes' | 'chunkSize' | 'chatTemplate' | 'inline'> {
  /** Only the first questions, so many of them. Default: all. */
  readonly limit?: number
  /** Called after every few questions. What it throws is what `measureHellaswag` throws. */
  readonly onAnswers?: (progress: HellaswagProgress) => void
  /** If `signal` aborts after some questions: resolve with their scores (and `interrupted`) instead of rejecting. Default false. */
  readonly partial?: boolean
}

/** Reported on the way. */
export interface HellaswagProgress {
  /** Questions answered. */
  readonly done: number
  /** Questions to answer. */
  readonly questions: number
  /** Share of right answers so far, normalised by length. */
  readonly normalised: number
}

/** Result of `measureHellaswag`. */
export interface HellaswagReport extends Scores {
  /** The measured model. */
  readonly model: ModelInfo
  /** Questions that were answered. */
  readonly questions: number
  /** Time of all answers. */
  readonly seconds: number
  /** The signal aborted before the last question. */
  readonly interrupted: boolean
}

const { contextLength, cacheBytes, keptBytes, chunkSize, chatTemplate, inline, ...OF_LOADING } = LOAD_OPTIONS
const HELLASWAG_OPTIONS = {
  ...OF_LOADING,
  limit: { kind: whole(1), description: 'only the first n questions' },
  onAnswers: { kind: callback, description: 'called after every few questions' },
  partial: { kind: flag, description: 'after an abort, return the scores so far' },
} satisfies OptionTable<HellaswagOptions>

/** See `measureHellaswag` of `latentkit/tools`. Computes in the caller's thread and yields to the event loop between steps. */
export async function measureHellaswag(
  source: string,
  text: string,
  given: HellaswagOptions = {},
): Promise<HellaswagReport> {
  const options = readOptions<HellaswagOptions>(HELLASWAG_OPTIONS, 'measureHellaswag', given)
  readArgument(nonEmpty, 'source', source)
  readArgument(anyText, 'text', text)
  const { limit, onAnswers, partial = false, onProgress, signal, ...rest } = options
  const questions = readQuestions(text).slice(0, limit)
  const parts = await loadInNode(source, rest, { report: onProgress, signal }, { training: true })
  const { model, tokenizer, info } = parts
  const reader = model.textReader()
  try {
    refuseOtherThanDecoder(model.config, 'it has no text to predict by itself')
    const found: (readonly [boolean, boolean])[] = []
    const begun = performance.now()
    for await (const some of answers(questions, reader, tokenizer, model.config.maxPositions)) {
      found.push(...some)
      onAnswers?.({ done: found.length, questions: questions.length, normalised: scoresOf(found).normalised.mean })
      await pause()
      if (!signal?.aborted || found.length === questions.length) continue
      if (!partial) signal.throwIfAborted()
      break
    }
    const seconds = (performance.now() - begun) / 1000
    const interrupted = found.length < questions.length
    return { model: info, questions: found.length, ...scoresOf(found), seconds, interrupted }
  } finally {
    reader.dispose()
    disposeParts(parts)
  }
}
