import type { WeightType } from '../tensor/dtype.ts'

/** The written tensors of one type. */
export interface TypeSummary {
  /** `f32`, `bf16`, `q4_k` … */
  readonly type: WeightType
  /** Number of tensors. */
  readonly tensors: number
  /** Bytes of these tensors. */
  readonly bytes: number
}

export interface Written {
  /** Paths. */
  readonly files: readonly string[]
  /** What takes most bytes first. */
  readonly types: readonly TypeSummary[]
}

export function summarise(tensors: Iterable<{ readonly type: WeightType; readonly bytes: number }>): TypeSummary[] {
  const byType = new Map<WeightType, TypeSummary>()
  for (const { type, bytes } of tensors) {
    const { tensors: count = 0, bytes: sum = 0 } = byType.get(type) ?? {}
    byType.set(type, { type, tensors: count + 1, bytes: sum + bytes })
  }
  return [...byType.values()].sort((a, b) => b.bytes - a.bytes)
}
