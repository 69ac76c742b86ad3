import { cpus } from 'node:os'
import type { KernelInfo } from '../../kernels/contract/kernels.ts'
import type { Factors } from '../../kernels/contract/operation-options.ts'

/**
 * The factors of products that are faster here. AMD's processors multiply pairs of bf16 at twice the rate of f32, Intel's without AMX at half of
 * it (`npm run bench -- roofline`); others have no such instruction.
 */
export function fasterFactors({ isa }: KernelInfo, processor = cpus()[0]?.model ?? ''): Factors {
  return isa === 'avx512bf16' && processor.includes('AMD') ? 'bf16' : 'f32'
}
