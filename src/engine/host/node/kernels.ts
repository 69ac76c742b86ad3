import { type ChosenKernels, chooseKernels as choose } from '../../load/choose-kernels.ts'
import type { KernelChoice } from '../../types/options/load.ts'
import type { KernelFactories, KernelOptions } from '../../types/platform.ts'

export const NODE_KERNELS: KernelFactories = {
  native: async options => (await import('../../../kernels/core/node/addon.ts')).createNativeKernels(options),
  wasm: async options => (await import('../../../kernels/core/node/wasm.ts')).createWasmKernels(options),
  reference: async () => (await import('../../../kernels/reference/index.ts')).createReferenceKernels(),
}

/** The same with the operations of training, among them the loss of targets. */
export const TRAINING_KERNELS: KernelFactories = {
  native: options => NODE_KERNELS.native({ ...options, training: true }),
  wasm: options => NODE_KERNELS.wasm({ ...options, training: true }),
  reference: options => NODE_KERNELS.reference(options),
}

/**
 * The kernels asked for; `auto` takes the native ones, or WebAssembly's where those cannot be had, and says why. The caller
 * disposes of them. Throws KernelsUnavailableError.
 */
export function chooseKernels(choice: KernelChoice, options: KernelOptions = {}): Promise<ChosenKernels> {
  return choose(choice, options, NODE_KERNELS)
}
