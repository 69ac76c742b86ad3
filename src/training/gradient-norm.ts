import type { Kernels } from '../kernels/contract/kernels.ts'
import { SQUARES_EACH } from '../kernels/contract/operation-options.ts'
import { elementCount } from '../tensor/tensor.ts'
import type { Parameter } from './parameters.ts'

/** The L2 norm of all gradients together, or of all values. */
export async function gradientNorm(
  kernels: Kernels,
  parameters: readonly Parameter[],
  what: 'values' | 'gradient' = 'gradient',
): Promise<number> {
  const sums = parameters.map(parameter => {
    const numbers = parameter[what]
    const sums = kernels.memory.alloc('f32', [Math.ceil(elementCount(numbers.shape) / SQUARES_EACH)])
    kernels.sumSquares(sums, numbers)
    return sums
  })
  await kernels.submit()
  let total = 0
  for (const tensor of sums) {
    for (const sum of (await kernels.memory.read(tensor)) as Float32Array) total += sum
    kernels.memory.free(tensor)
  }
  return Math.sqrt(total)
}
