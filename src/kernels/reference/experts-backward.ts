/** The definitions of the backward rules of route, expertMatmul and combineExperts. */
import type { Tensor } from '../../tensor/tensor.ts'
import type { Factors, RouteOptions } from '../contract/operation-options.ts'
import type { ExpertWeights } from '../contract/weights.ts'
import { axisOf } from '../operations/check.ts'
import { dot, factorsOf } from './matmul.ts'
import type { Memory } from './memory.ts'
import { ACTIVATIONS } from './pointwise.ts'
import { softmaxInPlace } from './softmax.ts'
import { expertValuesOf } from './weights.ts'

export function routeBackward(
  memory: Memory,
  dlogits: Tensor,
  dweights: Tensor,
  logits: Tensor,
  indices: Tensor,
  { scoring, normalise, scale }: RouteOptions,
): void {
  const [T, E, K] = [axisOf(logits, 0), axisOf(logits, 1), axisOf(indices, 1)]
  const to = memory.open(dlogits, 'f32', 'routeBackward: dlogits')
  const given = memory.open(dweights, 'f32', 'routeBackward: dweights')
  const from = memory.open(logits, 'f32', 'routeBackward: logits')
  const chosen = memory.open(indices, 'i32', 'routeBackward: indices')
  for (let t = 0; t < T; t++) {
    const scores = Float64Array.from(from.data.subarray(from.start + t * E, from.start + (t + 1) * E))
    if (scoring === 'softmax') softmaxInPlace(scores)
    else scores.set(scores.map(ACTIVATIONS.sigmoid))
    const experts = chosen.data.subarray(chosen.start + t * K, chosen.start + (t + 1) * K)
    const d = given.data.subarray(given.start + t * K, given.start + (t + 1) * K)
    const sum = experts.reduce((sum, e) => sum + scores[e]!, 1e-20)
    const along = experts.reduce((sum, e, j) => sum + scores[e]! * d[j]!, 0)
    const dscores = new Float64Array(E)
    experts.forEach((e, j) => {
      dscores[e]! += normalise ? scale * (d[j]! / sum - along / sum ** 2) : scale * d[j]!
    })
    const mean = scores.reduce((total, score, e) => total + score * dscores[e]!, 0)
    scores.forEach((score, e) => {
      to.data[to.start + t * E + e]! +=
        scoring === 'softmax' ? score * (dscores[e]! - mean) : score * (1 - score) * dscores[e]!
    })
  }
}

export function expertMatmulBackward(
  memory: Memory,
  dx: Tensor,
  dy: Tensor,
  w: ExpertWeights,
  plan: Tensor,
  factors: Factors = 'f32',
): void {
  const to = memory.open(dx, 'f32', 'expertMatmulBackward: dx')
  const given = factorsOf(memory.open(dy, 'f32', 'expertMatmulBackward: dy'), dy, factors)
  const { data, start } = memory.open(plan, 'i32', 'expertMatmulBackward: plan')
  expertValuesOf(w, 'expertMatmulBackward').forEach((values, e) => {
    const weight = factorsOf(memory.open(values, 'f32', 'expertMatmulBackward: w'), values, factors)
    for (let r = data[start + e]!; r < data[start + e + 1]!; r++) {
      for (let k = 0; k < w.cols; k++) {
        let sum = 0
        for (let n = 0; n < w.rows; n++) {
          sum += given.data[given.start + r * w.rows + n]! * weight.data[weight.start + n * w.cols + k]!
        }
        to.data[to.start + r * w.cols + k]! += sum
      }
    }
  })
}

export function expertWeightBackward(
  memory: Memory,
  dw: Tensor,
  dy: Tensor,
  x: Tensor,
  plan: Tensor,
  gather: boolean,
  factors: Factors = 'f32',
): void {
  const [experts, rows, cols] = [axisOf(dw, 0), axisOf(dw, 1), axisOf(dw, 2)]
  const K = gather ? axisOf(dy, 0) / axisOf(x, 0) : 1
  const to = memory.open(dw, 'f32', 'expertWeightBackward: dw')
  const given = factorsOf(memory.open(dy, 'f32', 'expertWeightBackward: dy'), dy, factors)
  const from = factorsOf(memory.open(x, 'f32', 'expertWeightBackward: x'), x, factors)
  const { data, start } = memory.open(plan, 'i32', 'expertWeightBackward: plan')
  const assignments = start + experts + 1
  for (let e = 0; e < experts; e++) {
    for (let n = 0; n < rows; n++) {
      for (let k = 0; k < cols; k++) {
        let sum = 0
        for (let r = data[start + e]!; r < data[start + e + 1]!; r++) {
          const row = gather ? Math.floor(data[assignments + r]! / K) : r
          sum += given.data[given.start + r * rows + n]! * from.data[from.start + row * cols + k]!
        }
        to.data[to.start + (e * rows + n) * cols + k]! += sum
      }
    }
  }
}

export function combineExpertsBackward(
  memory: Memory,
  dpart: Tensor,
  dweights: Tensor,
  dy: Tensor,
  part: Tensor,
  weights: Tensor,
  plan: Tensor,
): void {
  const [T, K, D] = [axisOf(weights, 0), axisOf(weights, 1), axisOf(part, 1)]
  const toPart = memory.open(dpart, 'f32', 'combineExpertsBackward: dpart')
  const toWeights = memory.open(dweights, 'f32', 'combineExpertsBackward: dweights')
  const given = memory.open(dy, 'f32', 'combineExpertsBackward: dy')
  const from = memory.open(part, 'f32', 'combineExpertsBackward: part')
  const factor = memory.open(weights, 'f32', 'combineExpertsBackward: weights')
  const { data, start } = memory.open(plan, 'i32', 'combineExpertsBackward: plan')
  const places = start + axisOf(plan, 0) - T * K
  for (let a = 0; a < T * K; a++) {
    const row = data[places + a]! * D
    const dyRow = given.start + Math.floor(a / K) * D
    for (let i = 0; i < D; i++) {
      toPart.data[toPart.start + row + i]! += factor.data[factor.start + a]! * given.data[dyRow + i]!
    }
    toWeights.data[toWeights.start + a]! += dot(from.data, from.start + row, given.data, dyRow, D)
  }
}
