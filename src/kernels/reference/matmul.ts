import { BF16, decode, encode } from '../../quant/halves.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Factors, MatmulOptions, TrainingMatmulOptions } from '../contract/operation-options.ts'
import type { Weight } from '../contract/weights.ts'
import { axisOf } from '../operations/check.ts'
import { type Memory, type Numbers, rowStarts } from './memory.ts'
import { valuesOf } from './weights.ts'

/** sum of a[i] * b[i]: f32 products are exact in f64. */
export function dot(a: Float32Array, aStart: number, b: Float32Array, bStart: number, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += a[aStart + i]! * b[bStart + i]!
  return sum
}

/** The numbers of a tensor as they are multiplied. */
export function factorsOf(numbers: Numbers<'f32'>, { shape, strides }: Tensor, factors: Factors): Numbers<'f32'> {
  if (factors === 'f32') return numbers
  const { data, start } = numbers
  const length = shape.includes(0) ? 0 : shape.reduce((n, size, axis) => n + (size - 1) * (strides[axis] as number), 1)
  return { data: data.slice(start, start + length).map(x => decode(encode(x, BF16), BF16)), start: 0 }
}

export function matmul(memory: Memory, y: Tensor, x: Tensor, w: Weight, options: MatmulOptions = {}): void {
  trainingMatmul(memory, y, x, w, options)
}

export function trainingMatmul(
  memory: Memory,
  y: Tensor,
  x: Tensor,
  w: Weight,
  options: TrainingMatmulOptions = {},
): void {
  const { bias, residual, scale = 1, factors = 'f32' } = options
  const T = axisOf(x, 0)
  const to = memory.open(y, 'f32', 'matmul: y')
  const from = factorsOf(memory.open(x, 'f32', 'matmul: x'), x, factors)
  const values = valuesOf(w, 'matmul')
  const weight = factorsOf(memory.open(values, 'f32', 'matmul: w'), values, factors)
  const added = bias && memory.open(bias, 'f32', 'matmul: bias')
  const base = residual && memory.open(residual, 'f32', 'matmul: residual')
  const xRows = rowStarts(x, from.start)
  const yRows = rowStarts(y, to.start)
  const baseRows = residual && base ? rowStarts(residual, base.start) : []
  for (let n = 0; n < w.rows; n++) {
    const addend = added ? added.data[added.start + n]! : 0
    for (let t = 0; t < T; t++) {
      const product = dot(from.data, xRows[t]!, weight.data, weight.start + n * w.cols, w.cols)
      const scaled = scale * (product + addend)
      to.data[yRows[t]! + n] = base ? base.data[baseRows[t]! + n]! + scaled : scaled
    }
  }
}

export function matmulBackward(
  memory: Memory,
  dx: Tensor,
  dy: Tensor,
  w: Weight,
  scale: number,
  factors: Factors = 'f32',
  add = true,
): void {
  const to = memory.open(dx, 'f32', 'matmulBackward: dx')
  const given = factorsOf(memory.open(dy, 'f32', 'matmulBackward: dy'), dy, factors)
  const values = valuesOf(w, 'matmulBackward')
  const weight = factorsOf(memory.open(values, 'f32', 'matmulBackward: w'), values, factors)
  const toRows = rowStarts(dx, to.start)
  rowStarts(dy, given.start).forEach((row, t) => {
    for (let k = 0; k < w.cols; k++) {
      let sum = 0
      for (let n = 0; n < w.rows; n++) sum += given.data[row + n]! * weight.data[weight.start + n * w.cols + k]!
      const at = toRows[t]! + k
      to.data[at] = (add ? to.data[at]! : 0) + scale * sum
    }
  })
}

export function weightBackward(
  memory: Memory,
  dw: Tensor,
  dy: Tensor,
  x: Tensor,
  scale: number,
  factors: Factors = 'f32',
): void {
  const [rows, cols] = [axisOf(dw, 0), axisOf(dw, 1)]
  const to = memory.open(dw, 'f32', 'weightBackward: dw')
  const given = factorsOf(memory.open(dy, 'f32', 'weightBackward: dy'), dy, factors)
  const from = factorsOf(memory.open(x, 'f32', 'weightBackward: x'), x, factors)
  const xRows = rowStarts(x, from.start)
  const dyRows = rowStarts(dy, given.start)
  for (let n = 0; n < rows; n++) {
    for (let k = 0; k < cols; k++) {
      let sum = 0
      dyRows.forEach((row, t) => {
        sum += given.data[row + n]! * from.data[xRows[t]! + k]!
      })
      to.data[to.start + n * cols + k]! += scale * sum
    }
  }
}
