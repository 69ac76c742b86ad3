/** The definitions of the backward rules of route, expertMatmul and combineExperts. */
import { axisOf } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import { dot, factorsOf } from './matmul.ts'
import { routingScores } from './route.ts'
import { expertValuesOf } from './weights.ts'

export const routeBackward: Definition<'routeBackward'> = (memory, dlogits, dweights, logits, indices, options) => {
  const { scoring, normalise, scale } = options
  const [E, K] = [axisOf(logits, 1), axisOf(indices, 1)]
  const to = memory.rows(dlogits, 'f32', 'routeBackward: dlogits')
  const given = memory.rows(dweights, 'f32', 'routeBackward: dweights')
  const from = memory.rows(logits, 'f32', 'routeBackward: logits')
  const chosen = memory.rows(indices, 'i32', 'routeBackward: indices')
  from.rows.forEach((row, t) => {
    const scores = routingScores(from.data.subarray(row, row + E), scoring)
    const experts = chosen.data.subarray(chosen.rows[t], chosen.rows[t]! + K)
    const d = given.data.subarray(given.rows[t], given.rows[t]! + K)
    const sum = experts.reduce((sum, e) => sum + scores[e]!, 1e-20)
    const along = experts.reduce((sum, e, j) => sum + scores[e]! * d[j]!, 0)
    const dscores = new Float64Array(E)
    experts.forEach((e, j) => {
      dscores[e]! += normalise ? scale * (d[j]! / sum - along / sum ** 2) : scale * d[j]!
    })
    const mean = scores.reduce((total, score, e) => total + score * dscores[e]!, 0)
    scores.forEach((score, e) => {
      to.data[to.rows[t]! + e]! +=
        scoring === 'softmax' ? score * (dscores[e]! - mean) : score * (1 - score) * dscores[e]!
    })
  })
}

export const expertMatmulBackward: Definition<'expertMatmulBackward'> = (memory, dx, dy, w, plan, factors = 'f32') => {
  const to = memory.rows(dx, 'f32', 'expertMatmulBackward: dx')
  const given = factorsOf(memory, dy, factors, 'expertMatmulBackward: dy')
  const { data, start } = memory.open(plan, 'i32', 'expertMatmulBackward: plan')
  expertValuesOf(w, 'expertMatmulBackward').forEach((values, e) => {
    const weight = factorsOf(memory, values, factors, 'expertMatmulBackward: w')
    for (let r = data[start + e]!; r < data[start + e + 1]!; r++) {
      for (let k = 0; k < w.cols; k++) {
        let sum = 0
        for (let n = 0; n < w.rows; n++) sum += given.data[given.rows[r]! + n]! * weight.data[weight.rows[n]! + k]!
        to.data[to.rows[r]! + k]! += sum
      }
    }
  })
}

export const expertWeightBackward: Definition<'expertWeightBackward'> = (
  ...[memory, dw, dy, x, plan, gather, factors = 'f32']
) => {
  const [experts, rows, cols] = [axisOf(dw, 0), axisOf(dw, 1), axisOf(dw, 2)]
  const K = gather ? axisOf(dy, 0) / axisOf(x, 0) : 1
  const to = memory.rows(dw, 'f32', 'expertWeightBackward: dw')
  const given = factorsOf(memory, dy, factors, 'expertWeightBackward: dy')
  const from = factorsOf(memory, x, factors, 'expertWeightBackward: x')
  const { data, start } = memory.open(plan, 'i32', 'expertWeightBackward: plan')
  const assignments = start + experts + 1
  to.rows.forEach((toRow, row) => {
    const [e, n] = [Math.floor(row / rows), row % rows]
    for (let k = 0; k < cols; k++) {
      let sum = 0
      for (let r = data[start + e]!; r < data[start + e + 1]!; r++) {
        const fromRow = from.rows[gather ? Math.floor(data[assignments + r]! / K) : r]!
        sum += given.data[given.rows[r]! + n]! * from.data[fromRow + k]!
      }
      to.data[toRow + k]! += sum
    }
  })
}

export const combineExpertsBackward: Definition<'combineExpertsBackward'> = (
  ...[memory, dpart, dweights, dy, part, weights, plan]
) => {
  const [K, D] = [axisOf(weights, 1), axisOf(part, 1)]
  const toPart = memory.rows(dpart, 'f32', 'combineExpertsBackward: dpart')
  const toWeights = memory.rows(dweights, 'f32', 'combineExpertsBackward: dweights')
  const given = memory.rows(dy, 'f32', 'combineExpertsBackward: dy')
  const from = memory.rows(part, 'f32', 'combineExpertsBackward: part')
  const factor = memory.rows(weights, 'f32', 'combineExpertsBackward: weights')
  const { data, start } = memory.open(plan, 'i32', 'combineExpertsBackward: plan')
  const places = start + axisOf(plan, 0) - axisOf(weights, 0) * K
  given.rows.forEach((dyRow, t) => {
    for (let j = 0; j < K; j++) {
      const place = data[places + t * K + j]!
      const weight = factor.data[factor.rows[t]! + j]!
      for (let i = 0; i < D; i++) toPart.data[toPart.rows[place]! + i]! += weight * given.data[dyRow + i]!
      toWeights.data[toWeights.rows[t]! + j]! += dot(from.data, from.rows[place]!, given.data, dyRow, D)
    }
  })
}
