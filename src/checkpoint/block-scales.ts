/** The scales of FP8 weights, as files store them: one per block, per row or per matrix, in several types. */
import type { WeightSource } from '../kernels/contract/weights.ts'
import { encodeNumbers } from '../quant/numbers.ts'
import type { ByteRange } from '../tensor/bytes.ts'
import { lazyMatrix } from './recode/lazy-matrix.ts'
import { recoded } from './recode/recoded.ts'
import type { TensorEntry } from './tensor-entry.ts'

type Scales = NonNullable<WeightSource['scales']>

/** DeepSeek's suffix (misleading: the stored numbers are multiplied, not divided by), then that of other tools. */
export const SCALE_SUFFIXES = ['_scale_inv', '_scale'] as const

/** Types that scales are stored in. All are exact in f32. */
export const SCALE_TYPES = ['F32', 'BF16', 'F16', 'F8_E8M0'] as const

/** The block size that scales of this shape imply for a matrix [rows, cols]; undefined if the shape does not fit. */
export function scaleBlocks(
  shape: readonly number[],
  [rows, cols]: readonly [number, number],
  [blockRows, blockCols]: readonly [number, number],
): Omit<Scales, 'bytes'> | undefined {
  const [gridRows, gridCols] = [Math.ceil(rows / blockRows), Math.ceil(cols / blockCols)]
  if (shape.length === 2 && shape[0] === gridRows && shape[1] === gridCols) return { blockRows, blockCols }
  if (shape.every(d => d === 1)) return { blockRows: rows, blockCols: cols }
  const perRow = shape[0] === rows && (shape.length === 1 || (shape.length === 2 && shape[1] === 1))
  return perRow ? { blockRows: 1, blockCols: cols } : undefined
}

/** The scales as f32, converted when they are read. */
export function scaleBytes({ name, dtype, shape, bytes }: TensorEntry): ByteRange {
  if (dtype === 'F32') return bytes
  const count = shape.reduce((n, d) => n * d, 1)
  if (dtype === 'F8_E8M0') return powers(name, count, bytes)
  const stored = { name, dtype: dtype === 'F16' ? 'f16' : 'bf16', rows: 1, cols: count, bytes } as const
  return recoded(stored, 'f32').bytes
}

/** E8M0 stores exponents only: 2^(code - 127); 255 is NaN. */
function powers(name: string, count: number, { source, offset }: ByteRange): ByteRange {
  const make = async () => {
    const codes = await source.read(offset, count)
    return encodeNumbers(
      'f32',
      Float32Array.from(codes, code => (code === 255 ? Number.NaN : 2 ** (code - 127))),
    )
  }
  return lazyMatrix({ name, dtype: 'f32', rows: 1, cols: count }, source.name, make).bytes
}
