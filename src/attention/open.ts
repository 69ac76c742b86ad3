import { chooseKernels } from '../engine/host/node/kernels.ts'
import type { KernelChoice } from '../engine/types/options/load.ts'
import { LOAD_OPTIONS } from '../engine/types/options/load.ts'
import type { OptionTable } from '../options/kinds.ts'
import { readOptions } from '../options/read-options.ts'
import { Workbench } from './workbench.ts'

/** Options of `openWorkbench`. */
export interface WorkbenchOptions {
  /** What computes. `reference` is the definition of every operation in plain TypeScript, with sums in f64. Default `auto`. */
  readonly kernels?: KernelChoice
  /** Compute threads. Default: all cores. */
  readonly threads?: number
}

const OPTIONS = {
  kernels: LOAD_OPTIONS.kernels,
  threads: LOAD_OPTIONS.threads,
} satisfies OptionTable<WorkbenchOptions>

/** See `openWorkbench` of `latentkit/attention`. */
export async function openWorkbench(given: WorkbenchOptions = {}): Promise<Workbench> {
  const { kernels: choice = 'auto', ...options } = readOptions<WorkbenchOptions>(OPTIONS, 'openWorkbench', given)
  const { kernels } = await chooseKernels(choice, options)
  return new Workbench({ kernels })
}
