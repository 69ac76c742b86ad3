/** Which kernel sets `latentkit verify` can run here. */
import { KERNEL_SETS, type KernelSet } from '../../../src/for-apps.ts'
import type { KernelOptions, VerifyOptions } from '../../../src/tools.ts'

export interface AvailableKernels {
  readonly sets: VerifyOptions['kernels']
  /** Sets that nobody asked for by name and that cannot be had here. */
  readonly skipped: readonly { readonly kernels: KernelSet; readonly reason: string }[]
}

/** Tries each kernel set once. A requested set that is not available is an error; others are reported. */
export async function availableKernels(
  named: readonly KernelSet[] | undefined,
  options: KernelOptions,
): Promise<AvailableKernels> {
  const { KernelsUnavailableError } = await import('../../../src/index.ts')
  const { chooseKernels } = await import('../../../src/tools.ts')
  const sets: { name: KernelSet; make: VerifyOptions['kernels'][number]['make'] }[] = []
  const skipped: { kernels: KernelSet; reason: string }[] = []
  for (const name of named ?? KERNEL_SETS) {
    const make = async ({ exact }: { exact: boolean }) => (await chooseKernels(name, { ...options, exact })).kernels
    try {
      const kernels = await make({ exact: true })
      kernels.dispose()
      sets.push({ name, make })
    } catch (error) {
      if (named !== undefined || !(error instanceof KernelsUnavailableError)) throw error
      skipped.push({ kernels: name, reason: error.message })
    }
  }
  return { sets, skipped }
}
