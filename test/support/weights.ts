import type { WeightSource } from '../../src/kernels/contract/weights.ts'
import type { ByteRange } from '../../src/tensor/bytes.ts'
import type { WeightType } from '../../src/tensor/dtype.ts'
import type { TypedArray } from '../../src/tensor/tensor.ts'

export interface Scales {
  readonly data: Float32Array
  readonly blockRows: number
  readonly blockCols: number
}

/** Bytes in memory as a checkpoint's range, with other bytes around it. */
function byteRange(name: string, data: TypedArray): ByteRange {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const before = 24
  const all = new Uint8Array(before + bytes.length + 8).fill(0xab)
  all.set(bytes, before)
  return {
    source: {
      name,
      size: all.length,
      read: async (offset, length) => all.slice(offset, offset + length),
    },
    offset: before,
    length: bytes.length,
  }
}

/** A matrix as a checkpoint would give it; short floats as bits. */
export function weightSource(
  name: string,
  dtype: WeightType,
  rows: number,
  cols: number,
  data: TypedArray,
  options: { readonly scales?: Scales | undefined; readonly transposed?: boolean | undefined } = {},
): WeightSource {
  const { scales, transposed } = options
  return {
    name,
    dtype,
    rows,
    cols,
    bytes: byteRange(name, data),
    ...(scales && {
      scales: {
        bytes: byteRange(`${name}.scales`, scales.data),
        blockRows: scales.blockRows,
        blockCols: scales.blockCols,
      },
    }),
    ...(transposed && { transposed }),
  }
}
