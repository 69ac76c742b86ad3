import { cpus } from 'node:os'
import type { KernelInfo } from '../../kernels/contract/kernels.ts'
import type { Factors } from '../../kernels/contract/operation-options.ts'

/**
 * The factors of products that are faster here: bf16 on AMX's tiles. Without them AMD's processors multiply pairs of bf16 at twice the rate of
 * f32, Intel's at half of it (`npm run bench -- roofline`); others have no such instruction.
 */
export function fasterFactors({ isa }: KernelInfo, processor = cpus()[0]?.model ?? ''): Factors {
  return isa === 'amx' || (isa === 'avx512bf16' && processor.includes('AMD')) ? 'bf16' : 'f32'
}

/** What decides the bits of training with these factors. AMX adds pairs of bf16 in another order. */
export function trainingNumerics({ isa, numerics }: KernelInfo, factors: Factors): string {
  return isa === 'amx' && factors === 'bf16' ? `${numerics} ${isa}` : numerics
}
