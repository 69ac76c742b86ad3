import type { WorkbenchOptions } from '../../attention/open.ts'
import { chooseKernels } from '../../engine/host/node/kernels.ts'
import { LOAD_OPTIONS } from '../../engine/types/options/load.ts'
import type { OptionTable } from '../../options/kinds.ts'
import { readOptions } from '../../options/read-options.ts'
import { Learner } from '../learner.ts'

const OPTIONS = {
  kernels: LOAD_OPTIONS.kernels,
  threads: LOAD_OPTIONS.threads,
} satisfies OptionTable<WorkbenchOptions>

/** See `openLearner` of `latentkit/training`. */
export async function openLearner(given: WorkbenchOptions = {}): Promise<Learner> {
  const { kernels: choice = 'auto', ...options } = readOptions<WorkbenchOptions>(OPTIONS, 'openLearner', given)
  const { kernels } = await chooseKernels(choice, { ...options, training: true })
  return new Learner(kernels)
}
