/** Statistics of all layers, in the work folder: what is not there yet is computed. */
import type { SourceModel } from '../conversion/source-model.ts'
import { CheckpointError } from '../errors.ts'
import { readAttention } from './attention.ts'
import { type CalibrationRun, firstStreams, layerStatistics } from './calibration.ts'
import type { LatentifyOptions } from './options.ts'
import type { Original } from './original.ts'
import type { Plan } from './plan.ts'
import type { LayerStatistics } from './statistics.ts'
import type { WorkFolder } from './work-folder.ts'

/** Returns the tokens that were read. Throws OptionError for a text that cannot be read or is too short, CheckpointError where a layer computes what is no number. */
export async function calibrated(
  original: Original,
  source: SourceModel,
  plan: Plan,
  work: WorkFolder,
  { signal, onProgress }: LatentifyOptions,
): Promise<number> {
  let layer = await work.layersDone()
  if (layer === plan.layers) return (await work.statistics(0)).tokens
  const { kernels, model } = await original.parts()
  const { read: windows } = await original.windows()
  const total = plan.layers * windows.length
  const run: CalibrationRun = {
    kernels,
    decoder: model.decoder,
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
    if (!allFinite(statistics)) {
      throw new CheckpointError(
        `${source.checkpoint.name}: layer ${layer} computes numbers that are not finite on the calibration text; its weights are damaged, or too large for f32`,
      )
    }
    // A layer counts as done when its statistics are there; what the next one needs is there before.
    if (layer + 1 < plan.layers) await work.keepStreams(layer + 1, streams)
    await work.keepStatistics(layer, statistics)
    await work.dropStreams(layer)
  }
  return windows.length * (windows[0] as Int32Array).length
}

function allFinite({ queries, rows, effect }: LayerStatistics): boolean {
  return [queries.values, rows.values, effect].every(values => values.every(Number.isFinite))
}
