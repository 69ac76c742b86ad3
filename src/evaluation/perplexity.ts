/**
 * Measures how well a model predicts a text, and compares its distributions with another model's. Runs in the caller's
 * thread and yields to the event loop only between steps.
 */
import { loadInNode } from '../engine/host/node/platform.ts'
import { disposeParts, type Parts } from '../engine/load/load-parts.ts'
import type { LoadOptions } from '../engine/types/options/load.ts'
import { LOAD_OPTIONS } from '../engine/types/options/load.ts'
import { OptionError } from '../errors.ts'
import { refuseOtherThanDecoder } from '../model/refuse-encoder.ts'
import { anyText, callback, flag, text as nonEmpty, type OptionTable, whole } from '../options/kinds.ts'
import { readArgument, readOptions } from '../options/read-options.ts'
import { ReferenceFileError } from './errors.ts'
import { measure, type PerplexityReport, type WindowProgress } from './measure.ts'
import { modelReference, type Reference } from './reference.ts'
import { openReferenceFile } from './reference-file.ts'
import { type Cut, cutOf, cutWindows, type WindowOptions, type Windows } from './windows.ts'

/** Options of `measurePerplexity`: how the text is cut, how the model is loaded, and what it is compared with. */
export interface PerplexityOptions
  extends WindowOptions,
    Omit<LoadOptions, 'contextLength' | 'cacheBytes' | 'keptBytes' | 'chunkSize' | 'chatTemplate' | 'inline'> {
  /** Compare with the distributions in this file; windows default to those of the file. */
  readonly reference?: string
  /** Compare with this model, loaded beside the first: with its weights as stored, and `exact`. */
  readonly against?: string
  /** Store this model's distributions in a file, for later comparisons: 2 bytes x vocabulary x scored tokens. */
  readonly saveReference?: string
  /** Called after every window. What it throws is what `measurePerplexity` throws. */
  readonly onWindow?: (progress: WindowProgress) => void
  /**
   * If `signal` aborts after the first window: resolve with the finished windows (and `interrupted`) instead of rejecting.
   * No reference is saved then. Default false.
   */
  readonly partial?: boolean
}

const { contextLength, cacheBytes, keptBytes, chunkSize, chatTemplate, inline, ...OF_LOADING } = LOAD_OPTIONS
export const PERPLEXITY_OPTIONS = {
  ...OF_LOADING,
  window: { kind: whole(4), description: 'tokens of a window', defaultText: '512' },
  stride: { kind: whole(1), description: "tokens from one window's beginning to the next one's" },
  windows: { kind: whole(1), description: 'at most so many windows' },
  reference: { kind: nonEmpty, description: 'compare with the distributions in this file' },
  against: { kind: nonEmpty, description: 'compare with this model' },
  saveReference: { kind: nonEmpty, description: "keep this model's distributions in a file" },
  onWindow: { kind: callback, description: 'called after every window' },
  partial: { kind: flag, description: 'after an abort, return the finished windows' },
} satisfies OptionTable<PerplexityOptions>

/**
 * Perplexity of a text: exp of the mean of -ln p over the scored tokens. The text is tokenised as a whole; special tokens
 * written out in it become those tokens. Throws what loading throws, OptionError, and for references ReferenceFileError
 * and CheckpointError.
 */
export async function measurePerplexity(
  source: string,
  text: string,
  given: PerplexityOptions = {},
): Promise<PerplexityReport> {
  const options = readOptions<PerplexityOptions>(PERPLEXITY_OPTIONS, 'measurePerplexity', given)
  readArgument(nonEmpty, 'source', source)
  readArgument(anyText, 'text', text)
  const { reference: referenceFile, against } = options
  if (referenceFile !== undefined && against !== undefined) {
    throw new OptionError('reference and against are both given; a model is compared with one other')
  }
  // Cheap validation first, before weights are loaded.
  const file = referenceFile === undefined ? null : await openReferenceFile(referenceFile)
  const cut = options.window === undefined && options.stride === undefined && file ? file.cut : cutOf(options)
  const parts = await load(source, options)
  try {
    const windows = cutText(text, parts, cut, options.windows ?? file?.windows)
    const reference = file
      ? await file.open(windows, parts.model.config.vocabSize)
      : against !== undefined
        ? await openAgainst(against, text, parts, windows, options)
        : null
    try {
      return await measure(parts, windows, reference, options)
    } finally {
      await reference?.dispose()
    }
  } finally {
    disposeParts(parts)
  }
}

async function load(source: string, options: PerplexityOptions): Promise<Parts> {
  const { window, stride, windows, reference, against, saveReference, onWindow, partial, onProgress, signal, ...rest } =
    options
  return loadInNode(source, rest, { report: onProgress, signal })
}

function cutText(text: string, { tokenizer, model }: Parts, cut: Cut, limit: number | undefined): Windows {
  const { maxPositions } = model.config
  refuseOtherThanDecoder(model.config, 'it has no text to predict by itself')
  if (cut.size > maxPositions) {
    throw new OptionError(`window is ${cut.size}; this model was made for at most ${maxPositions} tokens`)
  }
  // Windows side by side that count whole are the text as it is.
  const asItIs = cut.step === cut.size && cut.from === 1
  return cutWindows(tokenizer.encodePrompt(text), cut, {
    ...(limit !== undefined && { windows: limit }),
    ...(!asItIs && tokenizer.startsWithBos && tokenizer.bosId !== undefined && { bos: tokenizer.bosId }),
  })
}

/** Loads the reference model exactly: neither weights nor activations are quantised further. */
async function openAgainst(
  source: string,
  text: string,
  { model }: Parts,
  windows: Windows,
  options: PerplexityOptions,
): Promise<Reference> {
  const { weights, ...same } = options
  const parts = await load(source, { ...same, exact: true })
  try {
    const { vocabSize } = parts.model.config
    if (vocabSize !== model.config.vocabSize) {
      const met = `${parts.info.name} has ${vocabSize} tokens in its vocabulary, this model ${model.config.vocabSize}`
      throw new ReferenceFileError(`${met}; only models with one vocabulary can be compared`)
    }
    const theirs = cutText(text, parts, windows, windows.list.length)
    if (theirs.list.some((tokens, w) => String(tokens) !== String(windows.list[w]))) {
      throw new ReferenceFileError(
        `${parts.info.name} cuts the text into other tokens; only models with one tokenizer can be compared`,
      )
    }
    return modelReference(`${parts.info.name}, exact`, parts.model, windows, () => disposeParts(parts), options.signal)
  } catch (error) {
    disposeParts(parts)
    throw error
  }
}
