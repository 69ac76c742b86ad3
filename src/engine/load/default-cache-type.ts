import type { CacheTypeName } from '../../cache/types.ts'
import type { KernelInfo } from '../../kernels/contract/kernels.ts'
import { isBlockType, type WeightType } from '../../tensor/dtype.ts'

/** Instruction sets that multiply pairs of bf16 at twice the rate of f32. */
const BF16_PAIRS: readonly string[] = ['amx', 'avx512bf16']

/**
 * bf16 where that is faster and rounds less than the rest does: beside quantised weights, whose activations have 8 bits
 * (docs/cache.md has the figures). Else f16, as small and eight times as exact.
 */
export function defaultCacheType(
  { isa }: Pick<KernelInfo, 'isa'>,
  weights: readonly { readonly dtype: WeightType }[],
  exact: boolean,
): CacheTypeName {
  return !exact && BF16_PAIRS.includes(isa) && weights.some(w => isBlockType(w.dtype)) ? 'bf16' : 'f16'
}
