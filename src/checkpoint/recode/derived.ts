import type { WeightSource } from '../../kernels/contract/weights.ts'
import { encodeNumbers } from '../../quant/numbers.ts'
import { weightBytes } from '../../tensor/dtype.ts'
import { lazyMatrix } from './lazy-matrix.ts'
import { recoded } from './recoded.ts'
import { readRows } from './weight-rows.ts'

/**
 * A matrix of `rows` rows, where row r is row `order(r)` of the source. The type stays, so quantised rows are copied
 * byte by byte. FP8 becomes f32, since its scales belong to blocks of rows.
 */
export function reordered(source: WeightSource, rows: number, order: (row: number) => number): WeightSource {
  const from = source.scales || source.transposed ? recoded(source, 'f32') : source
  const { name, dtype, cols, bytes } = from
  const rowBytes = weightBytes(dtype, 1, cols)
  return lazyMatrix({ name, dtype, rows, cols }, bytes.source.name, async (start, count) => {
    const wanted = Array.from({ length: count }, (_, i) => order(start + i))
    const first = wanted.reduce((least, row) => Math.min(least, row))
    const last = wanted.reduce((most, row) => Math.max(most, row))
    const stored = await bytes.source.read(bytes.offset + first * rowBytes, (last + 1 - first) * rowBytes)
    const made = new Uint8Array(count * rowBytes)
    for (const [i, row] of wanted.entries()) {
      made.set(stored.subarray((row - first) * rowBytes, (row + 1 - first) * rowBytes), i * rowBytes)
    }
    return made
  })
}

/** The vector or matrix with `added` added to every number: f32. */
export function offsetBy(source: WeightSource, added: number): WeightSource {
  if (added === 0) return recoded(source, 'f32')
  const { name, rows, cols, bytes } = source
  return lazyMatrix({ name, dtype: 'f32', rows, cols }, bytes.source.name, async (start, count) =>
    encodeNumbers(
      'f32',
      (await readRows(source, start, count)).map(v => v + added),
    ),
  )
}

/** The transpose of a matrix, [cols, rows]: f32. */
export function transposedMatrix(source: WeightSource): WeightSource {
  const { name, rows, cols, bytes } = recoded(source, 'f32')
  return recoded({ name, dtype: 'f32', rows: cols, cols: rows, bytes, transposed: true }, 'f32')
}

/** A matrix computed when read: `numbers(start, count)` returns rows `start` to `start + count`. f32; named as `like`. */
export function computed(
  like: WeightSource,
  rows: number,
  cols: number,
  numbers: (start: number, count: number) => Promise<Float32Array>,
): WeightSource {
  const { name, bytes } = like
  return lazyMatrix({ name, dtype: 'f32', rows, cols }, bytes.source.name, async (start, count) =>
    encodeNumbers('f32', await numbers(start, count)),
  )
}
