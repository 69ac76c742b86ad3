/** The definition of headMatmul. */
import { axisOf } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import { dot } from './matmul.ts'
import { valuesOf } from './weights.ts'

export const headMatmul: Definition<'headMatmul'> = (memory, y, x, w, { headRows, firstRow, rows, transposed }) => {
  const H = axisOf(x, 1)
  const to = memory.rows(y, 'f32', 'headMatmul: y')
  const from = memory.rows(x, 'f32', 'headMatmul: x')
  const weight = memory.open(valuesOf(w, 'headMatmul'), 'f32', 'headMatmul: w')
  const sums = new Float64Array(w.cols)
  from.rows.forEach((xRow, row) => {
    const yRow = to.rows[row]!
    const block = weight.start + ((row % H) * headRows + firstRow) * w.cols
    if (!transposed) {
      for (let n = 0; n < rows; n++) to.data[yRow + n] = dot(from.data, xRow, weight.data, block + n * w.cols, w.cols)
      return
    }
    sums.fill(0)
    for (let n = 0; n < rows; n++) {
      const factor = from.data[xRow + n]!
      for (let c = 0; c < w.cols; c++) sums[c]! += factor * weight.data[block + n * w.cols + c]!
    }
    to.data.set(sums, yRow)
  })
}
