import type { Kernels } from '../../kernels/contract/kernels.ts'
import { KernelsUnavailableError } from '../types/errors.ts'
import type { KernelChoice } from '../types/options/load.ts'
import type { KernelFactories, KernelOptions } from '../types/platform.ts'

/** Result of `chooseKernels`. */
export interface ChosenKernels {
  /** A kernel set, for `makeExpected`, `verifyFolder` and `measureMachine`; end it with `dispose()`. */
  readonly kernels: Kernels
  /** Why they are not the native ones; null where they are or were not asked for. */
  readonly fallbackReason: string | null
}

/**
 * The kernels asked for; `auto` takes the native ones, or WebAssembly's where those cannot be had, and says why.
 * Throws KernelsUnavailableError.
 */
export async function chooseKernels(
  choice: KernelChoice,
  options: KernelOptions,
  factories: KernelFactories,
): Promise<ChosenKernels> {
  if (choice !== 'auto') {
    try {
      return { kernels: await factories[choice](options), fallbackReason: null }
    } catch (error) {
      const message = `The ${choice} kernels cannot be used: ${reason(error)}. Use kernels: "auto" for the best that there is.`
      throw new KernelsUnavailableError(message, { cause: error })
    }
  }
  try {
    return { kernels: await factories.native(options), fallbackReason: null }
  } catch (native) {
    try {
      return { kernels: await factories.wasm(options), fallbackReason: `no native kernels: ${reason(native)}` }
    } catch (wasm) {
      throw new KernelsUnavailableError(
        `Neither the native kernels (${reason(native)}) nor WebAssembly's (${reason(wasm)}) can be used here. ` +
          'The reference kernels always work, slowly: kernels: "reference".',
        { cause: native },
      )
    }
  }
}

/** Weights up to here leave room for caches in 4 GiB. */
const ROOMY_BYTES = 3 * 2 ** 30

/**
 * The kernels themselves, or in their place WebAssembly's with more memory, where the weights leave them too little. Throws OutOfMemoryError;
 * the kernels are disposed of only if others came.
 */
export async function withRoom(
  chosen: ChosenKernels,
  options: KernelOptions & { readonly weightBytes: number },
  factories: KernelFactories,
): Promise<ChosenKernels> {
  if (chosen.kernels.info.name !== 'wasm' || options.weightBytes <= ROOMY_BYTES) return chosen
  const kernels = await factories.wasm(options)
  chosen.kernels.dispose()
  return { ...chosen, kernels }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/[.\s]+$/, '')
}
