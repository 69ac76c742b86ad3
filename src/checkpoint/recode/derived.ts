import type { WeightSource } from '../../kernels/contract/weights.ts'
import { encodeNumbers } from '../../quant/numbers.ts'
import { weightBytes } from '../../tensor/dtype.ts'
import { madeMatrix } from './made-matrix.ts'
import { recoded } from './recoded.ts'
import { readRows } from './weight-rows.ts'

/**
 * A matrix of `rows` rows, of which row r is row `order(r)` of the source. The type stays, so that quantised rows move
 * as they are; only FP8, whose factors belong to places, becomes f32.
 */
export function reordered(source: WeightSource, rows: number, order: (row: number) => number): WeightSource {
  const from = source.scales || source.transposed ? recoded(source, 'f32') : source
  const { name, dtype, cols, bytes } = from
  const rowBytes = weightBytes(dtype, 1, cols)
  return madeMatrix({ name, dtype, rows, cols }, bytes.source.name, async (start, count) => {
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

/** The numbers of a vector or matrix, each `added` more: f32. */
export function raised(source: WeightSource, added: number): WeightSource {
  if (added === 0) return recoded(source, 'f32')
  const { name, rows, cols, bytes } = source
  return madeMatrix({ name, dtype: 'f32', rows, cols }, bytes.source.name, async (start, count) =>
    encodeNumbers(
      'f32',
      (await readRows(source, start, count)).map(v => v + added),
    ),
  )
}

/** [cols, rows] of a matrix, f32. */
export function turned(source: WeightSource): WeightSource {
  const { name, rows, cols, bytes } = recoded(source, 'f32')
  return recoded({ name, dtype: 'f32', rows: cols, cols: rows, bytes, transposed: true }, 'f32')
}

/** A matrix whose rows `start` to `start + count` are `numbers(start, count)`: f32. */
export function computed(
  like: WeightSource,
  rows: number,
  cols: number,
  numbers: (start: number, count: number) => Promise<Float32Array>,
): WeightSource {
  const { name, bytes } = like
  return madeMatrix({ name, dtype: 'f32', rows, cols }, bytes.source.name, async (start, count) =>
    encodeNumbers('f32', await numbers(start, count)),
  )
}
