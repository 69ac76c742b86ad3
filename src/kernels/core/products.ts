import type { Tensor } from '../../tensor/tensor.ts'
import type { HeadMatmulOptions, MatmulOptions } from '../contract/operations.ts'
import { axisOf, expect, expectStrided, strideOf } from './check.ts'
import type { CommandList } from './command-list.ts'
import { type CoreWeight, putWeight } from './weights.ts'

const NO_OPTIONS: MatmulOptions = {}

export function matmul(list: CommandList, y: Tensor, x: Tensor, w: CoreWeight, options = NO_OPTIONS): void {
  const { bias, residual, scale = 1 } = options
  const T = axisOf(x, 0)
  expectStrided('matmul: x', x, 'f32', T, w.cols)
  expectStrided('matmul: y', y, 'f32', T, w.rows)
  if (bias) expectStrided('matmul: bias', bias, 'f32', w.rows)
  if (residual) expectStrided('matmul: residual', residual, 'f32', T, w.rows)
  list.begin('matmul', T * w.rows * w.cols)
  list.put(y.address)
  list.put(strideOf(y, 0))
  list.put(x.address)
  list.put(strideOf(x, 0))
  list.put(T)
  list.put(scale)
  list.putAddress(bias)
  putWeight(list, w)
  list.putAddress(residual)
  list.put(residual ? strideOf(residual, 0) : 0)
  if (w.packed) list.putFresh(x)
  list.endProduct(y)
}

/** `exact`: f32 factors, whatever the options allow. */
export function headMatmul(
  list: CommandList,
  y: Tensor,
  x: Tensor,
  w: CoreWeight,
  options: HeadMatmulOptions,
  exact: boolean,
): void {
  const { headRows, firstRow, rows, transposed, factors } = options
  const T = axisOf(x, 0)
  const H = axisOf(x, 1)
  expectStrided('headMatmul: x', x, 'f32', T, H, transposed ? rows : w.cols)
  expectStrided('headMatmul: y', y, 'f32', T, H, transposed ? w.cols : rows)
  if (firstRow < 0 || firstRow + rows > headRows || H * headRows > w.rows) {
    expect('headMatmul', false, `${H} heads of ${firstRow} + ${rows} <= ${headRows} rows in ${w.name} (${w.rows} rows)`)
  }
  list.begin('headMatmul', T * H * rows * w.cols)
  list.put(y.address)
  list.put(strideOf(y, 0))
  list.put(strideOf(y, 1))
  list.put(x.address)
  list.put(strideOf(x, 0))
  list.put(strideOf(x, 1))
  list.put(T)
  list.put(H)
  list.put(headRows)
  list.put(firstRow)
  list.put(rows)
  list.put(transposed ? 1 : 0)
  list.put(exact || factors !== 'bf16' ? 1 : 0)
  putWeight(list, w)
  if (w.packed && !transposed) list.putFresh(x)
  else list.put(0)
  list.endProduct(y)
}
