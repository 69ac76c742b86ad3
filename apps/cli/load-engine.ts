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
    ...mtpFor(model, flags),
    ...toLoadOptions(all),
    ...(await hubOptions(flags)),
    ...disk,
    ...more,
    signal,
  }
  return withProgress(onProgress => Engine.load(model.source, { ...options, onProgress }))
}

/** Guessing with the model's own module needs it; the bundled model guesses with it where it has one and nothing else is asked for. */
function mtpFor({ bundled }: ModelArgument, { speculate, draft }: Parameters<typeof loadEngine>[1]): LoadOptions {
  if (speculate === 'mtp') return { mtp: 'on' }
  return bundled && speculate === undefined && draft === undefined ? { mtp: 'auto' } : {}
}

export async function withProgress<T>(work: (onProgress: Progress['update']) => Promise<T>): Promise<T> {
  const progress = new Progress()
  try {
    return await work(progress.update)
  } finally {
    progress.stop()
  }
}
