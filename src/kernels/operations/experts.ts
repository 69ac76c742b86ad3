import type { Tensor } from '../../tensor/tensor.ts'
import type { RouteOptions } from '../contract/operation-options.ts'
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
    normalise: flag,
    scale: real64,
  },
  from: (indices: Tensor, weights: Tensor, logits: Tensor, options: RouteOptions) => {
    const { bias, groups, topkGroups, normalise, scale } = options
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
    return { work, indices, weights, logits, bias, E, T, K, sigmoid, groups, topkGroups, top2, normalise, scale }
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
    const assignments = axisOf(y, 0)
    const xRows = axisOf(x, 0)
    expectDense('expertMatmul: y', y, 'f32', assignments, w.rows)
    expectDense('expertMatmul: x', x, 'f32', gather ? xRows : assignments, w.cols)
    expectDense('expertMatmul: plan', plan, 'i32', w.experts + 1 + 2 * assignments)
    const perToken = gather && assignments > 0 ? assignments / xRows : 0
    expect('expertMatmul', Number.isInteger(perToken), `a whole number of experts for each of ${xRows} tokens`)
    return { work: assignments * w.rows * w.cols, y, x, plan, perToken, xRows, w, mustQuantise: x }
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
