/** The kernel sets that tests of models run on. */
import type { KernelOptions } from '../../src/engine/types/platform.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'

export interface KernelSet {
  readonly name: string
  readonly make: (options?: KernelOptions) => Promise<Kernels>
  /** Why it cannot run here; null where it can. */
  readonly missing: string | null
}

export const KERNEL_SETS: readonly KernelSet[] = [
  { name: 'reference', make: async () => createReferenceKernels(), missing: null },
  { name: 'native', make: createNativeKernels, missing: nativeUnavailable() },
  { name: 'wasm', make: createWasmKernels, missing: null },
]
