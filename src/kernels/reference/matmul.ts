/** The definitions of matmul, trainingMatmul and their backward rules. */
import { BF16, decode, encode } from '../../quant/halves.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Factors } from '../contract/operation-options.ts'
import { axisOf, lastAxis } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import type { Memory, Rows } from './memory.ts'
import { valuesOf } from './weights.ts'

/** sum of a[i] * b[i]: f32 products are exact in f64. */
export function dot(a: Float32Array, aStart: number, b: Float32Array, bStart: number, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += a[aStart + i]! * b[bStart + i]!
  return sum
}

/** The rows of a tensor as they are multiplied. */
export function factorsOf(memory: Memory, tensor: Tensor, factors: Factors, what: string): Rows<'f32'> {
  const { data, rows } = memory.rows(tensor, 'f32', what)
  if (factors === 'f32') return { data, rows }
  const n = lastAxis(tensor)
  const own = new Float32Array(rows.length * n)
  rows.forEach((row, r) => {
    own.set(data.subarray(row, row + n), r * n)
  })
  return { data: own.map(x => decode(encode(x, BF16), BF16)), rows: rows.map((_, r) => r * n) }
}

export const matmul: Definition<'matmul'> = (memory, y, x, w, options) => trainingMatmul(memory, y, x, w, options)

export const trainingMatmul: Definition<'trainingMatmul'> = (memory, y, x, w, options = {}) => {
  const { bias, residual, scale = 1, factors = 'f32' } = options
  const to = memory.rows(y, 'f32', 'matmul: y')
  const from = factorsOf(memory, x, factors, 'matmul: x')
  const weight = factorsOf(memory, valuesOf(w, 'matmul'), factors, 'matmul: w')
  const added = bias && memory.open(bias, 'f32', 'matmul: bias')
  const base = residual && memory.rows(residual, 'f32', 'matmul: residual')
  weight.rows.forEach((weightRow, n) => {
    const addend = added ? added.data[added.start + n]! : 0
    from.rows.forEach((row, t) => {
      const scaled = scale * (dot(from.data, row, weight.data, weightRow, w.cols) + addend)
      to.data[to.rows[t]! + n] = base ? base.data[base.rows[t]! + n]! + scaled : scaled
    })
  })
}

export const matmulBackward: Definition<'matmulBackward'> = (memory, dx, dy, w, scale, factors = 'f32', add = true) => {
  const to = memory.rows(dx, 'f32', 'matmulBackward: dx')
  const given = factorsOf(memory, dy, factors, 'matmulBackward: dy')
  const weight = factorsOf(memory, valuesOf(w, 'matmulBackward'), factors, 'matmulBackward: w')
  given.rows.forEach((row, t) => {
    for (let k = 0; k < w.cols; k++) {
      let sum = 0
      for (let n = 0; n < w.rows; n++) sum += given.data[row + n]! * weight.data[weight.rows[n]! + k]!
      const at = to.rows[t]! + k
      to.data[at] = (add ? to.data[at]! : 0) + scale * sum
    }
  })
}

export const weightBackward: Definition<'weightBackward'> = (memory, dw, dy, x, scale, factors = 'f32') => {
  const to = memory.rows(dw, 'f32', 'weightBackward: dw')
  const given = factorsOf(memory, dy, factors, 'weightBackward: dy')
  const from = factorsOf(memory, x, factors, 'weightBackward: x')
  to.rows.forEach((row, n) => {
    for (let k = 0; k < axisOf(dw, 1); k++) {
      let sum = 0
      given.rows.forEach((dyRow, t) => {
        sum += given.data[dyRow + n]! * from.data[from.rows[t]! + k]!
      })
      to.data[row + k]! += scale * sum
    }
  })
}
