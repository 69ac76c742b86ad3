import type { WeightSource } from '../../kernels/contract/weights.ts'
import { type EncodableType, encodeNumbers } from '../../quant/numbers.ts'
import { lazyMatrix } from './lazy-matrix.ts'
import { checkNumbers, readRows } from './weight-rows.ts'

/**
 * The matrix converted to another type; the same object if it has that type already. Reading throws CheckpointError for
 * numbers that the type cannot hold.
 */
export function recoded(source: WeightSource, type: EncodableType): WeightSource {
  if (source.dtype === type && !source.transposed) return source
  const { name, rows, cols, bytes } = source
  return lazyMatrix({ name, dtype: type, rows, cols }, bytes.source.name, async (start, count) => {
    const values = await readRows(source, start, count)
    checkNumbers(values, source, type)
    return encodeNumbers(type, values)
  })
}
