/** What touches disk or clock, read at the first call: a program that only plans carries none of it. */
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Machine } from './machines.ts'
import type { PlanModel } from './plan-model.ts'

/**
 * The model that a path or name means: a config.json, a folder, a GGUF file, a name in the hub's cache, or a published
 * name. Headers only, and no network. `hubCacheDir`: the hub's cache; default: it is not searched. Throws CheckpointError,
 * ConfigError or UnsupportedModelError.
 */
export async function readPlanModel(source: string, hubCacheDir?: string): Promise<PlanModel> {
  return (await import('./read/open.ts')).readPlanModel(source, hubCacheDir)
}

/**
 * Measures how fast this machine reads and multiplies with these kernels on the shapes of a model: a second or two, and up
 * to 300 MB that are freed. The caller disposes of the kernels.
 */
export async function measureMachine(kernels: Kernels, model: PlanModel): Promise<Machine> {
  return (await import('./measure/measure-machine.ts')).measureMachine(kernels, model)
}
