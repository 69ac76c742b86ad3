import type { Tensor } from '../../tensor/tensor.ts'
import type { RouteOptions } from '../contract/operations.ts'
import { axisOf, expect, expectDense } from './check.ts'
import type { CommandList } from './command-list.ts'
import type { CoreExperts } from './weights.ts'

export function route(
  list: CommandList,
  indices: Tensor,
  weights: Tensor,
  logits: Tensor,
  options: RouteOptions,
): void {
  const { bias, groups, topkGroups } = options
  const T = axisOf(logits, 0)
  const E = axisOf(logits, 1)
  const K = axisOf(indices, 1)
  expectDense('route: logits', logits, 'f32', T, E)
  expectDense('route: indices', indices, 'i32', T, K)
  expectDense('route: weights', weights, 'f32', T, K)
  if (bias) expectDense('route: bias', bias, 'f32', E)
  expect('route', K <= E && E % groups === 0 && topkGroups <= groups, 'K <= E, equal groups, topkGroups <= groups')
  list.begin('route', T * E * (60 + K))
  list.put(indices.address)
  list.put(weights.address)
  list.put(logits.address)
  list.putAddress(bias)
  list.put(E)
  list.put(T)
  list.put(K)
  list.put(options.scoring === 'sigmoid' ? 1 : 0)
  list.put(groups)
  list.put(topkGroups)
  list.put(options.groupScore === 'top2' ? 1 : 0)
  list.put(options.normalise ? 1 : 0)
  list.put(options.scale)
  list.end()
}

export function groupByExpert(list: CommandList, plan: Tensor, indices: Tensor, experts: number): void {
  const count = axisOf(indices, 0) * axisOf(indices, 1)
  expectDense('groupByExpert: indices', indices, 'i32', axisOf(indices, 0), axisOf(indices, 1))
  expectDense('groupByExpert: plan', plan, 'i32', experts + 1 + 2 * count)
  // A counting sort is not divided.
  list.begin('groupByExpert', 0)
  list.put(plan.address)
  list.put(indices.address)
  list.put(count)
  list.put(experts)
  list.end()
}

export function expertMatmul(
  list: CommandList,
  y: Tensor,
  x: Tensor,
  w: CoreExperts,
  plan: Tensor,
  gather: boolean,
): void {
  const count = axisOf(y, 0)
  const T = axisOf(x, 0)
  expectDense('expertMatmul: y', y, 'f32', count, w.rows)
  expectDense('expertMatmul: x', x, 'f32', gather ? T : count, w.cols)
  expectDense('expertMatmul: plan', plan, 'i32', w.experts + 1 + 2 * count)
  if (count === 0) return
  expect('expertMatmul', !gather || count % T === 0, `a whole number of experts for each of ${T} tokens`)
  list.begin('expertMatmul', count * w.rows * w.cols)
  list.put(y.address)
  list.put(x.address)
  list.put(plan.address)
  list.put(gather ? count / T : 0)
  list.put(T)
  list.put(w.packed ? 1 : 0)
  list.put(w.table.address)
  list.put(w.experts)
  list.put(w.blockRows)
  list.put(w.blockCols)
  list.put(w.rows)
  list.put(w.cols)
  if (w.packed) list.putFresh(x)
  else list.put(0)
  list.endProduct(y)
}

export function combineExperts(
  list: CommandList,
  y: Tensor,
  part: Tensor,
  weights: Tensor,
  plan: Tensor,
  residual: Tensor,
): void {
  const T = axisOf(weights, 0)
  const K = axisOf(weights, 1)
  const D = axisOf(part, 1)
  const size = axisOf(plan, 0)
  expectDense('combineExperts: weights', weights, 'f32', T, K)
  expectDense('combineExperts: y', y, 'f32', T, D)
  expectDense('combineExperts: residual', residual, 'f32', T, D)
  expectDense('combineExperts: part', part, 'f32', T * K, D)
  expectDense('combineExperts: plan', plan, 'i32', size)
  list.begin('combineExperts', T * K * D)
  list.put(y.address)
  list.put(part.address)
  list.put(weights.address)
  list.put(plan.address + 4 * (size - T * K))
  list.put(residual.address)
  list.put(T)
  list.put(K)
  list.put(D)
  list.end()
}
