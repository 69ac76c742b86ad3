/** The definitions of groupByExpert, expertMatmul and combineExperts. */
import { axisOf, lastAxis } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import { dot, factorsOf } from './matmul.ts'
import { expertValuesOf } from './weights.ts'

export const groupByExpert: Definition<'groupByExpert'> = (memory, plan, indices, experts) => {
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

export const expertMatmul: Definition<'expertMatmul'> = (memory, y, x, w, plan, gather) =>
  trainingExpertMatmul(memory, y, x, w, plan, gather)

export const trainingExpertMatmul: Definition<'trainingExpertMatmul'> = (
  ...[memory, y, x, w, plan, gather, factors = 'f32']
) => {
  const K = gather ? axisOf(y, 0) / axisOf(x, 0) : 1
  const to = memory.rows(y, 'f32', 'expertMatmul: y')
  const from = factorsOf(memory, x, factors, 'expertMatmul: x')
  const { data, start } = memory.open(plan, 'i32', 'expertMatmul: plan')
  const assignments = start + w.experts + 1
  expertValuesOf(w, 'expertMatmul').forEach((values, e) => {
    const weight = factorsOf(memory, values, factors, 'expertMatmul: w')
    for (let r = data[start + e]!; r < data[start + e + 1]!; r++) {
      const row = from.rows[gather ? Math.floor(data[assignments + r]! / K) : r]!
      weight.rows.forEach((weightRow, n) => {
        to.data[to.rows[r]! + n] = dot(from.data, row, weight.data, weightRow, w.cols)
      })
    }
  })
}

export const combineExperts: Definition<'combineExperts'> = (memory, y, part, weights, plan, residual) => {
  const K = axisOf(weights, 1)
  const to = memory.rows(y, 'f32', 'combineExperts: y')
  const from = memory.rows(part, 'f32', 'combineExperts: part')
  const factor = memory.rows(weights, 'f32', 'combineExperts: weights')
  const base = memory.rows(residual, 'f32', 'combineExperts: residual')
  const { data, start } = memory.open(plan, 'i32', 'combineExperts: plan')
  const places = start + axisOf(plan, 0) - axisOf(weights, 0) * K
  to.rows.forEach((row, t) => {
    for (let i = 0; i < lastAxis(y); i++) {
      let sum = base.data[base.rows[t]! + i]!
      for (let j = 0; j < K; j++) {
        const place = data[places + t * K + j]!
        sum += factor.data[factor.rows[t]! + j]! * from.data[from.rows[place]! + i]!
      }
      to.data[row + i] = sum
    }
  })
}
