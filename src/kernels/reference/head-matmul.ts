/** The definition of headMatmul. */
import type { Tensor } from '../../tensor/tensor.ts'
import type { HeadMatmulOptions } from '../contract/operation-options.ts'
import type { Weight } from '../contract/weights.ts'
import { axisOf } from '../operations/check.ts'
import { dot } from './matmul.ts'
import { type Memory, rowStarts } from './memory.ts'
import { valuesOf } from './weights.ts'

export function headMatmul(memory: Memory, y: Tensor, x: Tensor, w: Weight, options: HeadMatmulOptions): void {
  const { headRows, firstRow, rows, transposed } = options
  const T = axisOf(x, 0)
  const H = axisOf(x, 1)
  const to = memory.open(y, 'f32', 'headMatmul: y')
  const from = memory.open(x, 'f32', 'headMatmul: x')
  const weight = memory.open(valuesOf(w, 'headMatmul'), 'f32', 'headMatmul: w')
  const xRows = rowStarts(x, from.start)
  const yRows = rowStarts(y, to.start)
  const sums = new Float64Array(w.cols)
  for (let t = 0; t < T; t++) {
    for (let h = 0; h < H; h++) {
      const xRow = xRows[t * H + h]!
      const yRow = yRows[t * H + h]!
      const block = weight.start + (h * headRows + firstRow) * w.cols
      if (!transposed) {
        for (let n = 0; n < rows; n++) {
          to.data[yRow + n] = dot(from.data, xRow, weight.data, block + n * w.cols, w.cols)
        }
        continue
      }
      sums.fill(0)
      for (let n = 0; n < rows; n++) {
        const factor = from.data[xRow + n]!
        for (let c = 0; c < w.cols; c++) {
          sums[c] = sums[c]! + factor * weight.data[block + n * w.cols + c]!
        }
      }
      to.data.set(sums, yRow)
    }
  }
}
