import type { Tensor } from '../../tensor/tensor.ts'
import type { Factors, RouteOptions } from '../contract/operation-options.ts'
import type { ExpertWeights } from '../contract/weights.ts'
import { axisOf, expect, expectDense } from './check.ts'
import { count, experts, flag, input, maybe, mustQuantise, operation, output, real64 } from './fields.ts'

/**
 * indices i32 [T, K] by falling choice score (ties: the lower expert first), weights f32 [T, K], from logits [T, E]
 * (V2 paper 2.1.2-2.1.3, V3 paper eq. 12-16). Of groups with equal scores the lower one stays; NaN is chosen last.
 */
export const route = operation({
  kernel: 'experts/route.h',
  record: {
    indices: output('i32'),
    weights: output('f32'),
    logits: input('f32'),
    bias: maybe('f32'),
    E: count,
    T: count,
    K: count,
    sigmoid: flag,
    groups: count,
    topkGroups: count,
    top2: flag,
    zeroLosers: flag,
    normalise: flag,
    scale: real64,
  },
  from: (indices: Tensor, weights: Tensor, logits: Tensor, options: RouteOptions) => {
    const { bias, groups, topkGroups, zeroLosers = false, normalise, scale } = options
    const T = axisOf(logits, 0)
    const E = axisOf(logits, 1)
    const K = axisOf(indices, 1)
    expectDense('route: logits', logits, 'f32', T, E)
    expectDense('route: indices', indices, 'i32', T, K)
    expectDense('route: weights', weights, 'f32', T, K)
    if (bias) expectDense('route: bias', bias, 'f32', E)
    expect('route', K <= E && E % groups === 0 && topkGroups <= groups, 'K <= E, equal groups, topkGroups <= groups')
    const work = T * E * (60 + K)
    const sigmoid = options.scoring === 'sigmoid'
    const top2 = options.groupScore === 'top2'
    return {
      work,
      indices,
      weights,
      logits,
      bias,
      E,
      T,
      K,
      sigmoid,
      groups,
      topkGroups,
      top2,
      zeroLosers,
      normalise,
      scale,
    }
  },
})

/**
 * Sorts the T * K assignments by expert, stable. plan i32 [E + 1 + 2TK]: offsets of each expert's rows [E + 1], then
 * per grouped row the assignment t * K + j it came from, then per assignment its grouped row.
 */
export const groupByExpert = operation({
  kernel: 'experts/group.h',
  record: { plan: output('i32'), indices: input('i32'), assignments: count, experts: count },
  from: (plan: Tensor, indices: Tensor, experts: number) => {
    const assignments = axisOf(indices, 0) * axisOf(indices, 1)
    expectDense('groupByExpert: indices', indices, 'i32', axisOf(indices, 0), axisOf(indices, 1))
    expectDense('groupByExpert: plan', plan, 'i32', experts + 1 + 2 * assignments)
    // A counting sort is not divided.
    return { work: 0, plan, indices, assignments, experts }
  },
})

/**
 * y[r, :] = x[row, :] W_eᵀ for each grouped row r of expert e. x is [T, cols] (gather: row = floor(assignment / K))
 * or already grouped [TK, cols]. y [TK, rows].
 */
export const expertMatmul = operation({
  kernel: 'experts/expert-matmul.h',
  record: {
    y: output('f32'),
    x: input('f32'),
    plan: input('i32'),
    /** Assignments of each row of x; 0: x is grouped already. */
    perToken: count,
    xRows: count,
    w: experts,
    mustQuantise,
  },
  from: (y: Tensor, x: Tensor, w: ExpertWeights, plan: Tensor, gather: boolean) => {
    const { work, perToken, xRows } = expertProduct('expertMatmul', y, x, w, plan, gather)
    return { work, y, x, plan, perToken, xRows, w, mustQuantise: x }
  },
})

/** `expertMatmul` as training needs it; `factors`: as for `trainingMatmul`. */
export const trainingExpertMatmul = operation({
  kernel: 'experts/training-expert-matmul.h',
  record: {
    y: output('f32'),
    x: input('f32'),
    plan: input('i32'),
    /** Assignments of each row of x; 0: x is grouped already. */
    perToken: count,
    rounded: flag,
    w: experts,
  },
  from: (y: Tensor, x: Tensor, w: ExpertWeights, plan: Tensor, gather: boolean, factors: Factors = 'f32') => {
    const { work, perToken } = expertProduct('trainingExpertMatmul', y, x, w, plan, gather)
    return { work, y, x, plan, perToken, rounded: factors === 'bf16', w }
  },
})

/** y[t, :] = residual[t, :] + sum_j weights[t, j] * part[grouped row of t * K + j, :], j rising. y may be residual. */
export const combineExperts = operation({
  kernel: 'experts/combine.h',
  record: {
    y: output('f32'),
    part: input('f32'),
    weights: input('f32'),
    plan: input('i32'),
    residual: input('f32'),
    /** Of the plan: the last T * K numbers are the rows of the assignments. */
    size: count,
    T: count,
    K: count,
    D: count,
  },
  from: (y: Tensor, part: Tensor, weights: Tensor, plan: Tensor, residual: Tensor) => {
    const T = axisOf(weights, 0)
    const K = axisOf(weights, 1)
    const D = axisOf(part, 1)
    const size = axisOf(plan, 0)
    expectDense('combineExperts: weights', weights, 'f32', T, K)
    expectDense('combineExperts: y', y, 'f32', T, D)
    expectDense('combineExperts: residual', residual, 'f32', T, D)
    expectDense('combineExperts: part', part, 'f32', T * K, D)
    expectDense('combineExperts: plan', plan, 'i32', size)
    return { work: T * K * D, y, part, weights, plan, residual, size, T, K, D }
  },
})

/** The backward rule of `route`: dlogits [T, E] += what dweights [T, K] give, through the chosen scores; the choice has no gradient. */
export const routeBackward = operation({
  kernel: 'experts/route-backward.h',
  record: {
    dlogits: output('f32'),
    dweights: input('f32'),
    logits: input('f32'),
    indices: input('i32'),
    E: count,
    T: count,
    K: count,
    sigmoid: flag,
    normalise: flag,
    scale: real64,
  },
  from: (dlogits: Tensor, dweights: Tensor, logits: Tensor, indices: Tensor, options: RouteOptions) => {
    const [T, E, K] = [axisOf(logits, 0), axisOf(logits, 1), axisOf(indices, 1)]
    expectDense('routeBackward: logits', logits, 'f32', T, E)
    expectDense('routeBackward: dlogits', dlogits, 'f32', T, E)
    expectDense('routeBackward: indices', indices, 'i32', T, K)
    expectDense('routeBackward: dweights', dweights, 'f32', T, K)
    const { normalise, scale } = options
    const sigmoid = options.scoring === 'sigmoid'
    return { work: T * E * 60, dlogits, dweights, logits, indices, E, T, K, sigmoid, normalise, scale }
  },
})

/**
 * The backward rule of `expertMatmul` for x: dx[r, :] += dy[r, :] W_e for each grouped row r. dx [TK, cols], dy [TK, rows]. `factors`: as
 * for `trainingMatmul`.
 */
export const expertMatmulBackward = operation({
  kernel: 'experts/expert-matmul-backward.h',
  record: { dx: output('f32'), dy: input('f32'), plan: input('i32'), rounded: flag, w: experts },
  from: (dx: Tensor, dy: Tensor, w: ExpertWeights, plan: Tensor, factors: Factors = 'f32') => {
    const assignments = axisOf(dy, 0)
    expectDense('expertMatmulBackward: dy', dy, 'f32', assignments, w.rows)
    expectDense('expertMatmulBackward: dx', dx, 'f32', assignments, w.cols)
    expectDense('expertMatmulBackward: plan', plan, 'i32', w.experts + 1 + 2 * assignments)
    return { work: assignments * w.rows * w.cols, dx, dy, plan, rounded: factors === 'bf16', w }
  },
})

/**
 * The backward rule of `expertMatmul` for W: dw[e] += dyᵀ x over the rows of expert e. dw f32 [E, rows, cols]; x, plan, gather as there.
 * `factors`: as for `trainingMatmul`, of dy and x.
 */
export const expertWeightBackward = operation({
  kernel: 'experts/expert-weight-backward.h',
  record: {
    dw: output('f32'),
    dy: input('f32'),
    x: input('f32'),
    plan: input('i32'),
    /** Assignments of each row of x; 0: x is grouped already. */
    perToken: count,
    experts: count,
    rows: count,
    cols: count,
    rounded: flag,
  },
  from: (dw: Tensor, dy: Tensor, x: Tensor, plan: Tensor, gather: boolean, factors: Factors = 'f32') => {
    const [experts, rows, cols] = [axisOf(dw, 0), axisOf(dw, 1), axisOf(dw, 2)]
    const [assignments, xRows] = [axisOf(dy, 0), axisOf(x, 0)]
    expectDense('expertWeightBackward: dw', dw, 'f32', experts, rows, cols)
    expectDense('expertWeightBackward: dy', dy, 'f32', assignments, rows)
    expectDense('expertWeightBackward: x', x, 'f32', gather ? xRows : assignments, cols)
    expectDense('expertWeightBackward: plan', plan, 'i32', experts + 1 + 2 * assignments)
    const perToken = gather && assignments > 0 ? assignments / xRows : 0
    expect('expertWeightBackward', Number.isInteger(perToken), `a whole number of experts for each of ${xRows} tokens`)
    const rounded = factors === 'bf16'
    return { work: assignments * rows * cols, dw, dy, x, plan, perToken, experts, rows, cols, rounded }
  },
})

/** The backward rule of `combineExperts`: dpart[row] += weights[t, j] dy[t], dweights[t, j] += part[row] · dy[t]. */
export const combineExpertsBackward = operation({
  kernel: 'experts/combine-backward.h',
  record: {
    dpart: output('f32'),
    dweights: output('f32'),
    dy: input('f32'),
    part: input('f32'),
    weights: input('f32'),
    plan: input('i32'),
    size: count,
    T: count,
    K: count,
    D: count,
  },
  from: (dpart: Tensor, dweights: Tensor, dy: Tensor, part: Tensor, weights: Tensor, plan: Tensor) => {
    const [T, K, D, size] = [axisOf(weights, 0), axisOf(weights, 1), axisOf(part, 1), axisOf(plan, 0)]
    expectDense('combineExpertsBackward: weights', weights, 'f32', T, K)
    expectDense('combineExpertsBackward: dweights', dweights, 'f32', T, K)
    expectDense('combineExpertsBackward: dy', dy, 'f32', T, D)
    expectDense('combineExpertsBackward: part', part, 'f32', T * K, D)
    expectDense('combineExpertsBackward: dpart', dpart, 'f32', T * K, D)
    expectDense('combineExpertsBackward: plan', plan, 'i32', size)
    return { work: 2 * T * K * D, dpart, dweights, dy, part, weights, plan, size, T, K, D }
  },
})

function expertProduct(operation: string, y: Tensor, x: Tensor, w: ExpertWeights, plan: Tensor, gather: boolean) {
  const assignments = axisOf(y, 0)
  const xRows = axisOf(x, 0)
  expectDense(`${operation}: y`, y, 'f32', assignments, w.rows)
  expectDense(`${operation}: x`, x, 'f32', gather ? xRows : assignments, w.cols)
  expectDense(`${operation}: plan`, plan, 'i32', w.experts + 1 + 2 * assignments)
  const perToken = gather && assignments > 0 ? assignments / xRows : 0
  expect(operation, Number.isInteger(perToken), `a whole number of experts for each of ${xRows} tokens`)
  return { work: assignments * w.rows * w.cols, perToken, xRows }
}
