import { BF16, decode, E4M3, encode, F16, type ShortFloat } from '../../quant/halves.ts'
import type { DType } from '../../tensor/dtype.ts'
import type { TypedArray } from '../../tensor/tensor.ts'

const SHORT: Partial<Record<DType, ShortFloat>> = { f16: F16, bf16: BF16, e4m3: E4M3 }

/** Fills `row` with the values of as many elements of type `dtype` from `data[start]` on. */
export function readNumbers(row: Float64Array | Float32Array, data: TypedArray, start: number, dtype: DType): void {
  const format = SHORT[dtype]
  for (let i = 0; i < row.length; i++) {
    const element = data[start + i]!
    row[i] = format ? decode(element, format) : element
  }
}

/** Rounds each number of `row` once to type `dtype`. */
export function writeNumbers(data: TypedArray, start: number, row: Float64Array | Float32Array, dtype: DType): void {
  const format = SHORT[dtype]
  for (let i = 0; i < row.length; i++) {
    const value = row[i]!
    data[start + i] = format ? encode(value, format) : value
  }
}
