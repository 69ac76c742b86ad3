import { elementCount, type Tensor } from '../../tensor/tensor.ts'
import { axisOf, expectDense, expectLike, expectStrided } from './check.ts'
import { DTYPE_CODES } from './codes.ts'
import type { CommandList } from './command-list.ts'
import { type CoreWeight, putWeight } from './weights.ts'

export function embed(list: CommandList, y: Tensor, w: CoreWeight, ids: Tensor, scale = 1): void {
  const T = axisOf(ids, 0)
  expectDense('embed: ids', ids, 'i32', T)
  expectDense('embed: y', y, 'f32', T, w.cols)
  list.begin('embed', T * w.cols)
  list.put(y.address)
  list.put(ids.address)
  list.put(T)
  list.put(scale)
  putWeight(list, w)
  list.end()
}

export function gatherRows(list: CommandList, y: Tensor, x: Tensor, index: Tensor): void {
  const T = axisOf(index, 0)
  const cols = axisOf(x, 1)
  expectDense('gatherRows: index', index, 'i32', T)
  expectDense('gatherRows: x', x, 'f32', axisOf(x, 0), cols)
  expectDense('gatherRows: y', y, 'f32', T, cols)
  list.begin('gatherRows', T * cols)
  list.put(y.address)
  list.put(x.address)
  list.put(index.address)
  list.put(T)
  list.put(cols)
  list.end()
}

export function copy(list: CommandList, y: Tensor, x: Tensor): void {
  expectLike('copy: y', y, y.dtype, x)
  expectLike('copy: x', x, x.dtype, y)
  list.begin('copy', elementCount(y.shape))
  list.put(DTYPE_CODES[y.dtype])
  list.put(DTYPE_CODES[x.dtype])
  list.putExtent(y.shape)
  list.putStrided(y)
  list.putStrided(x)
  list.end()
}

export function axpby(list: CommandList, y: Tensor, a: number, x: Tensor, b = 1, z?: Tensor): void {
  expectLike('axpby: y', y, 'f32', y)
  expectLike('axpby: x', x, 'f32', y)
  if (z) expectLike('axpby: z', z, 'f32', y)
  list.begin('axpby', elementCount(y.shape))
  list.put(a)
  list.put(b)
  list.put(z ? 1 : 0)
  list.putExtent(y.shape)
  list.putStrided(y)
  list.putStrided(x)
  list.putStrided(z)
  list.end()
}

export function rmsNorm(list: CommandList, y: Tensor, x: Tensor, weight: Tensor, eps: number): void {
  expectLike('rmsNorm: x', x, 'f32', x)
  expectLike('rmsNorm: y', y, 'f32', x)
  expectStrided('rmsNorm: weight', weight, 'f32', axisOf(x, x.shape.length - 1))
  list.begin('rmsNorm', 2 * elementCount(x.shape))
  list.put(eps)
  list.put(weight.address)
  list.putExtent(x.shape)
  list.putStrided(y)
  list.putStrided(x)
  list.end()
}

export function layerNorm(
  list: CommandList,
  y: Tensor,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  eps: number,
): void {
  const n = axisOf(x, x.shape.length - 1)
  expectLike('layerNorm: x', x, 'f32', x)
  expectLike('layerNorm: y', y, 'f32', x)
  expectStrided('layerNorm: weight', weight, 'f32', n)
  if (bias) expectStrided('layerNorm: bias', bias, 'f32', n)
  list.begin('layerNorm', 3 * elementCount(x.shape))
  list.put(eps)
  list.put(weight.address)
  list.putAddress(bias)
  list.putExtent(x.shape)
  list.putStrided(y)
  list.putStrided(x)
  list.end()
}
