/** The definitions of groupByExpert, expertMatmul and combineExperts. */
import type { Tensor } from '../../tensor/tensor.ts'
import type { Factors } from '../contract/operation-options.ts'
import type { ExpertWeights } from '../contract/weights.ts'
import { axisOf } from '../operations/check.ts'
import { dot, factorsOf } from './matmul.ts'
import type { Memory } from './memory.ts'
import { expertValuesOf } from './weights.ts'

export function groupByExpert(memory: Memory, plan: Tensor, indices: Tensor, experts: number): void {
  const count = axisOf(indices, 0) * axisOf(indices, 1)
  const { data, start } = memory.open(plan, 'i32', 'groupByExpert: plan')
  const from = memory.open(indices, 'i32', 'groupByExpert: indices')
  const assignments = start + experts + 1
  const places = assignments + count
  let row = 0
  for (let e = 0; e < experts; e++) {
    data[start + e] = row
    for (let a = 0; a < count; a++) {
      if (from.data[from.start + a] !== e) continue
      data[assignments + row] = a
      data[places + a] = row
      row++
    }
  }
  data[start + experts] = row
}

export function expertMatmul(
  memory: Memory,
  y: Tensor,
  x: Tensor,
  w: ExpertWeights,
  plan: Tensor,
  gather: boolean,
): void {
  trainingExpertMatmul(memory, y, x, w, plan, gather)
}

export function trainingExpertMatmul(
  memory: Memory,
  y: Tensor,
  x: Tensor,
  w: ExpertWeights,
  plan: Tensor,
  gather: boolean,
  factors: Factors = 'f32',
): void {
  const count = axisOf(y, 0)
  const T = axisOf(x, 0)
  if (count === 0) return
  const K = gather ? count / T : 1
  const to = memory.open(y, 'f32', 'expertMatmul: y')
  const from = factorsOf(memory.open(x, 'f32', 'expertMatmul: x'), x, factors)
  const { data, start } = memory.open(plan, 'i32', 'expertMatmul: plan')
  const assignments = start + w.experts + 1
  expertValuesOf(w, 'expertMatmul').forEach((values, e) => {
    const weight = factorsOf(memory.open(values, 'f32', 'expertMatmul: w'), values, factors)
    for (let r = data[start + e]!; r < data[start + e + 1]!; r++) {
      const row = gather ? Math.floor(data[assignments + r]! / K) : r
      for (let n = 0; n < w.rows; n++) {
        const product = dot(from.data, from.start + row * w.cols, weight.data, weight.start + n * w.cols, w.cols)
        to.data[to.start + r * w.rows + n] = product
      }
    }
  })
}

export function combineExperts(
  memory: Memory,
  y: Tensor,
  part: Tensor,
  weights: Tensor,
  plan: Tensor,
  residual: Tensor,
): void {
  const T = axisOf(weights, 0)
  const K = axisOf(weights, 1)
  const D = axisOf(part, 1)
  const to = memory.open(y, 'f32', 'combineExperts: y')
  const from = memory.open(part, 'f32', 'combineExperts: part')
  const factor = memory.open(weights, 'f32', 'combineExperts: weights')
  const base = memory.open(residual, 'f32', 'combineExperts: residual')
  const { data, start } = memory.open(plan, 'i32', 'combineExperts: plan')
  const places = start + axisOf(plan, 0) - T * K
  for (let t = 0; t < T; t++) {
    for (let i = 0; i < D; i++) {
      let sum = base.data[base.start + t * D + i]!
      for (let j = 0; j < K; j++) {
        const row = data[places + t * K + j]!
        sum += factor.data[factor.start + t * K + j]! * from.data[from.start + row * D + i]!
      }
      to.data[to.start + t * D + i] = sum
    }
  }
}
