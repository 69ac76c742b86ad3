import type { WeightSource } from '../../kernels/contract/weights.ts'
import { type EncodableType, encodeNumbers } from '../../quant/numbers.ts'
import { madeMatrix } from './made-matrix.ts'
import { checkNumbers, readRows } from './weight-rows.ts'

/**
 * The matrix in another type; itself where it is of that type already. Reading throws CheckpointError for numbers that
 * the type lacks.
 */
export function recoded(source: WeightSource, type: EncodableType): WeightSource {
  if (source.dtype === type && !source.transposed) return source
  const { name, rows, cols, bytes } = source
  return madeMatrix({ name, dtype: type, rows, cols }, bytes.source.name, async (start, count) => {
    const values = await readRows(source, start, count)
    checkNumbers(values, source, type)
    return encodeNumbers(type, values)
  })
}
