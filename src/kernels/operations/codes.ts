/** The numbers by which records name types and activations; native/core/types.h is written from them. */
import { PACKED_TYPES, type PackedType } from '../../quant/packed.ts'
import type { CacheType, DType } from '../../tensor/dtype.ts'
import type { Activation } from '../contract/operation-options.ts'

/** What a tensor, a cached vector or a packed matrix holds. */
export type CoreType = DType | CacheType | PackedType

/** Cached vectors of codes with scales behind them. @public scripts/make-records.mjs writes C++ of it. */
export const SCALED_TYPES = ['int8', 'fp8'] as const satisfies readonly CacheType[]

const TYPES: readonly CoreType[] = [
  ...(['f32', 'f16', 'bf16', 'e4m3', 'i32', 'u8', 'f64'] as const satisfies readonly DType[]),
  ...SCALED_TYPES,
  ...PACKED_TYPES,
]

export const TYPE_CODES = codesOf(TYPES)

export const ACTIVATION_CODES: Readonly<Record<Activation, number>> = {
  silu: 0,
  gelu: 1,
  gelu_tanh: 2,
  quick_gelu: 3,
  relu: 4,
  relu2: 5,
  sigmoid: 6,
  tanh: 7,
}

function codesOf<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, code) => [name, code])) as Record<Name, number>
}
