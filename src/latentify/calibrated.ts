/** Statistics of all layers, in the work folder: what is not there yet is computed. */
import type { SourceModel } from '../conversion/source-model.ts'
import { loadInNode } from '../engine/host/node/platform.ts'
import { disposeParts, type Parts } from '../engine/load/load-parts.ts'
import { OptionError } from '../errors.ts'
import { readAttention } from './attention.ts'
import { type CalibrationRun, firstStreams, layerStatistics } from './calibration.ts'
import type { LatentifyOptions } from './options.ts'
import type { Plan } from './plan.ts'
import { calibrationText } from './text.ts'
import type { WorkFolder } from './work-folder.ts'

/** Tokens of a window, or what the model was made for. */
const WINDOW = 512
const TOKENS = 32_768

/** Returns the tokens that were read. Throws OptionError for a text that cannot be read or is too short. */
export async function calibrated(
  path: string,
  source: SourceModel,
  plan: Plan,
  work: WorkFolder,
  options: LatentifyOptions,
): Promise<number> {
  const { signal, onProgress, threads, calibrationTokens = TOKENS } = options
  let layer = await work.layersDone()
  if (layer === plan.layers) return (await work.statistics(0)).tokens
  const text = await calibrationText(options.calibrate as string, calibrationTokens)
  const parts = await loadInNode(path, threads ? { threads } : {}, {
    report: ({ loaded, total }) => onProgress?.({ stage: 'load', done: loaded, total, file: 'load' }),
    signal,
  })
  try {
    const windows = cut(text, parts, calibrationTokens)
    const tokens = windows.length * (windows[0] as Int32Array).length
    const total = plan.layers * windows.length
    const run: CalibrationRun = {
      kernels: parts.kernels,
      decoder: parts.model.decoder,
      windows,
      signal,
      onWindow: window =>
        onProgress?.({ stage: 'calibrate', done: layer * windows.length + window, total, file: 'calibrate' }),
    }
    const kept = layer > 0 ? await work.streams(layer, windows.length) : undefined
    if (!kept) layer = 0
    const streams = kept ?? (await firstStreams(run))
    for (; layer < plan.layers; layer++) {
      const statistics = await layerStatistics(run, streams, layer, await readAttention(source, plan, layer))
      // A layer counts as done when its statistics are there; what the next one needs is there before.
      if (layer + 1 < plan.layers) await work.keepStreams(layer + 1, streams)
      await work.keepStatistics(layer, statistics)
      await work.dropStreams(layer)
    }
    return tokens
  } finally {
    disposeParts(parts)
  }
}

/** Windows spread over the whole text, so that a long one is not judged by its beginning. */
function cut(text: string, { tokenizer, model }: Parts, calibrationTokens: number): Int32Array[] {
  const size = Math.min(WINDOW, model.config.maxPositions)
  const count = Math.max(1, Math.floor(calibrationTokens / size))
  const ids = tokenizer.encodePrompt(text)
  const there = Math.floor(ids.length / size)
  const least = Math.min(count, 4)
  if (there < least) {
    throw new OptionError(
      `The calibration text has ${ids.length} tokens; expected at least ${least * size}, better ${calibrationTokens}: take a longer text`,
    )
  }
  const taken = Math.min(count, there)
  return Array.from({ length: taken }, (_, w) => {
    const start = Math.floor((w * (there - 1)) / Math.max(taken - 1, 1)) * size
    return Int32Array.from(ids.slice(start, start + size))
  })
}
