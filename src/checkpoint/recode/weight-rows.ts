import { CheckpointError } from '../../errors.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import { decodeNumbers } from '../../quant/numbers.ts'
import { weightBytes } from '../../tensor/dtype.ts'
import { quote } from '../quote.ts'

/** Bytes of stored rows read at a time. */
const READ_CHUNK = 4 << 20

/** Rows `start` to `start + count` of a matrix as the model sees them (decoded, scaled, transposed): f32 [count, cols]. */
export async function readRows(source: WeightSource, start: number, count: number): Promise<Float32Array> {
  const { dtype, cols, bytes } = source
  if (source.transposed) return transposedRows(source, start, count)
  const rowBytes = weightBytes(dtype, 1, cols)
  const stored = await bytes.source.read(bytes.offset + start * rowBytes, count * rowBytes)
  const values = decodeNumbers(dtype, stored)
  if (source.scales) await applyScales(values, source, start, count)
  return values
}

/** Columns of the stored matrix, gathered from a chunk of stored rows at a time. */
async function transposedRows({ dtype, rows, cols, bytes }: WeightSource, start: number, count: number) {
  const values = new Float32Array(count * cols)
  const storedBytes = weightBytes(dtype, 1, rows)
  const chunk = Math.max(1, Math.floor(READ_CHUNK / storedBytes))
  for (let k = 0; k < cols; k += chunk) {
    const taken = Math.min(chunk, cols - k)
    const stored = decodeNumbers(dtype, await bytes.source.read(bytes.offset + k * storedBytes, taken * storedBytes))
    for (let i = 0; i < taken; i++) {
      for (let n = 0; n < count; n++) values[n * cols + k + i] = stored[i * rows + start + n]!
    }
  }
  return values
}

/** FP8: multiplies every block by its scale, in f32. */
async function applyScales(values: Float32Array, source: WeightSource, start: number, count: number): Promise<void> {
  const { cols, scales } = source
  if (!scales) return
  const { bytes, blockRows, blockCols } = scales
  const gridCols = Math.ceil(cols / blockCols)
  const grid = decodeNumbers('f32', await bytes.source.read(bytes.offset, bytes.length))
  for (let r = 0; r < count; r++) {
    const gridRow = Math.floor((start + r) / blockRows) * gridCols
    for (let k = 0; k < cols; k++) {
      const at = r * cols + k
      values[at] = values[at]! * grid[gridRow + Math.floor(k / blockCols)]!
    }
  }
}

/** The largest f16. Of the block types that are made, all but mxfp4 store their scales as f16. */
const LARGEST_HALF = 65_504

/** Throws CheckpointError for NaN, infinities, and numbers outside the type's range. */
export function checkNumbers(values: Float32Array, { name, bytes }: WeightSource, type: string): void {
  const largest = type === 'f32' || type === 'bf16' || type === 'mxfp4' ? 3.3895e38 : LARGEST_HALF
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]!) <= largest) continue
    const where = `${bytes.source.path ?? bytes.source.name}: tensor ${quote(name)}`
    throw new CheckpointError(
      `${where} holds ${values[i]}; ${type} takes numbers up to ${largest}. Is the file damaged? If not, use bf16 or f32`,
    )
  }
}
