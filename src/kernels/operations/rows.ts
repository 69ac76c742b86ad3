import { elementCount, type Tensor } from '../../tensor/tensor.ts'
import type { Weight } from '../contract/weights.ts'
import { axisOf, expectContiguous, expectDense, expectLike, expectStrided } from './check.ts'
import { count, dtype, extent, flag, input, operation, output, real, strided, weight } from './fields.ts'

/** y[t, :] = scale * W[ids[t], :]. y f32 [T, cols], ids i32 [T]. Default scale 1. */
export const embed = operation({
  kernel: 'rows/embed.h',
  record: { y: output('f32'), ids: input('i32'), T: count, scale: real, w: weight },
  from: (y: Tensor, w: Weight, ids: Tensor, scale?: number) => {
    const T = axisOf(ids, 0)
    expectDense('embed: ids', ids, 'i32', T)
    expectDense('embed: y', y, 'f32', T, w.cols)
    return { work: T * w.cols, y, ids, T, scale: scale ?? 1, w }
  },
})

/** y[t, :] = x[index[t], :]. y and x f32, index i32 [T]. */
export const gatherRows = operation({
  kernel: 'rows/gather.h',
  record: { y: output('f32'), x: input('f32'), index: input('i32'), T: count, cols: count },
  from: (y: Tensor, x: Tensor, index: Tensor) => {
    const T = axisOf(index, 0)
    const cols = axisOf(x, 1)
    expectDense('gatherRows: index', index, 'i32', T)
    expectDense('gatherRows: x', x, 'f32', axisOf(x, 0), cols)
    expectDense('gatherRows: y', y, 'f32', T, cols)
    return { work: T * cols, y, x, index, T, cols }
  },
})

/** y = x: of one type, or converted from or to f32 (f16 and bf16, to nearest even). Strided; same shape. */
export const copy = operation({
  kernel: 'elementwise/copy.h',
  record: { toType: dtype, fromType: dtype, extent, y: strided, x: strided },
  from: (y: Tensor, x: Tensor) => {
    expectLike('copy: y', y, y.dtype, x)
    expectLike('copy: x', x, x.dtype, y)
    return { work: elementCount(y.shape), toType: y.dtype, fromType: x.dtype, extent: y.shape, y, x }
  },
})

/** y = a * x + b * z; without z, y = a * x. f32, strided, same shapes; y may be x or z. */
export const axpby = operation({
  kernel: 'elementwise/axpby.h',
  record: { a: real, b: real, two: flag, extent, y: strided, x: strided, z: strided },
  from: (y: Tensor, a: number, x: Tensor, b?: number, z?: Tensor) => {
    expectLike('axpby: y', y, 'f32', y)
    expectLike('axpby: x', x, 'f32', y)
    if (z) expectLike('axpby: z', z, 'f32', y)
    return { work: elementCount(y.shape), a, b: b ?? 1, two: z !== undefined, extent: y.shape, y, x, z }
  },
})

/**
 * y[index[t], :] += scale * x[t, :], t rising: the backward rule of `embed` and `gatherRows`. y f32 [N, cols], x f32 [T, cols],
 * index i32 [T]. Default scale 1.
 */
export const scatterRows = operation({
  kernel: 'rows/scatter.h',
  record: { y: output('f32'), x: input('f32'), index: input('i32'), T: count, cols: count, scale: real },
  from: (y: Tensor, x: Tensor, index: Tensor, scale?: number) => {
    const T = axisOf(index, 0)
    const cols = axisOf(y, 1)
    expectDense('scatterRows: index', index, 'i32', T)
    expectDense('scatterRows: x', x, 'f32', T, cols)
    expectDense('scatterRows: y', y, 'f32', axisOf(y, 0), cols)
    return { work: 2 * T * cols, y, x, index, T, cols, scale: scale ?? 1 }
  },
})

/** y[n] += scale * sum over t of x[t, n]: the backward rule of a bias. y f32 [N], x f32 [T, N], strided. */
export const sumRows = operation({
  kernel: 'rows/sum.h',
  record: { y: output('f32'), x: input('f32', 'T'), T: count, cols: count, scale: real },
  from: (y: Tensor, x: Tensor, scale: number) => {
    const [T, cols] = [axisOf(x, 0), axisOf(x, 1)]
    expectStrided('sumRows: x', x, 'f32', T, cols)
    expectDense('sumRows: y', y, 'f32', cols)
    return { work: T * cols, y, x, T, cols, scale }
  },
})

/** y = value. f32, contiguous. */
export const fill = operation({
  kernel: 'elementwise/fill.h',
  record: { y: output('f32'), n: count, value: real },
  from: (y: Tensor, value: number) => {
    const n = elementCount(y.shape)
    expectLike('fill: y', y, 'f32', y)
    expectContiguous('fill: y', y)
    return { work: n, y, n, value }
  },
})
