import type { Engine, LoadOptions } from '../../src/index.ts'
import { cacheFolder, withEnvironment } from './environment.ts'
import { hubOptions } from './hub.ts'
import type { ModelArgument } from './model-argument.ts'
import { type LoadFlags, toLoadOptions } from './options/load.ts'
import type { SamplingFlags } from './options/sampling.ts'
import { Progress } from './output/progress.ts'
import { note } from './output/stdout.ts'

/** Loads a model and shows progress. Imports the engine here, so that `--help` starts faster. */
export async function loadEngine(
  model: ModelArgument,
  flags: LoadFlags & Pick<SamplingFlags, 'speculate'>,
  signal: AbortSignal,
  more: LoadOptions = {},
): Promise<Engine> {
  const { Engine } = await import('../../src/index.ts')
  const all = withEnvironment(flags)
  const disk = all.diskCache === false ? {} : { cacheDir: all.cacheDir ?? cacheFolder(), onNotice: note }
  const options = {
    // Guessing with the model's own module needs it.
    ...(flags.speculate === 'mtp' && { mtp: 'on' as const }),
    ...toLoadOptions(all),
    ...(await hubOptions(flags)),
    ...disk,
    ...more,
    signal,
  }
  return withProgress(onProgress => Engine.load(model.source, { ...options, onProgress }))
}

export async function withProgress<T>(work: (onProgress: Progress['update']) => Promise<T>): Promise<T> {
  const progress = new Progress()
  try {
    return await work(progress.update)
  } finally {
    progress.stop()
  }
}
