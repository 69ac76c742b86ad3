import { elementCount, type Tensor } from '../../tensor/tensor.ts'
import { expectDense, expectLike, expectStrided, lastAxis } from './check.ts'
import { extent, flag, input, maybe, maybeOutput, operation, output, real64, strided } from './fields.ts'

/** y = x / sqrt(mean(x^2) + eps) * weight over the last axis (arXiv 1910.07467 eq. 4). Strided; y may be x. */
export const rmsNorm = operation({
  kernel: 'elementwise/norms.h',
  record: { eps: real64, weight: input('f32'), extent, y: strided, x: strided },
  from: (y: Tensor, x: Tensor, weight: Tensor, eps: number) => {
    expectLike('rmsNorm: x', x, 'f32', x)
    expectLike('rmsNorm: y', y, 'f32', x)
    expectStrided('rmsNorm: weight', weight, 'f32', lastAxis(x))
    return { work: 2 * elementCount(x.shape), eps, weight, extent: x.shape, y, x }
  },
})

/** y = (x - mean) / sqrt(var + eps) * weight + bias, biased variance (arXiv 1607.06450 eq. 4). Strided; y may be x. */
export const layerNorm = operation({
  kernel: 'elementwise/norms.h',
  record: { eps: real64, weight: input('f32'), bias: maybe('f32'), extent, y: strided, x: strided },
  from: (y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, eps: number) => {
    const n = lastAxis(x)
    expectLike('layerNorm: x', x, 'f32', x)
    expectLike('layerNorm: y', y, 'f32', x)
    expectStrided('layerNorm: weight', weight, 'f32', n)
    if (bias) expectStrided('layerNorm: bias', bias, 'f32', n)
    return { work: 3 * elementCount(x.shape), eps, weight, bias, extent: x.shape, y, x }
  },
})

/** Rows of a tensor along its last axis. */
const rowCount = (x: Tensor) => elementCount(x.shape.slice(0, -1))

/**
 * The backward rule of both norms: dx += d loss / dx from dy. With s the row's deviation, h = (x - mean) / s and g = dy * weight,
 * dx += (g - mean(g) - h mean(g h)) / s; `centred` false, for rmsNorm: mean and mean(g) are 0.
 * stats f32 [rows, 2], written: mean and 1 / s of every row, for `normWeightBackward`. dx, dy, x strided.
 */
export const normBackward = operation({
  kernel: 'elementwise/norms-backward.h',
  record: {
    eps: real64,
    centred: flag,
    weight: input('f32'),
    stats: output('f32'),
    extent,
    dx: strided,
    dy: strided,
    x: strided,
  },
  from: (dx: Tensor, stats: Tensor, dy: Tensor, x: Tensor, weight: Tensor, eps: number, centred: boolean) => {
    expectLike('normBackward: x', x, 'f32', x)
    expectLike('normBackward: dx', dx, 'f32', x)
    expectLike('normBackward: dy', dy, 'f32', x)
    expectStrided('normBackward: weight', weight, 'f32', lastAxis(x))
    expectDense('normBackward: stats', stats, 'f32', rowCount(x), 2)
    return { work: 6 * elementCount(x.shape), eps, centred, weight, stats, extent: x.shape, dx, dy, x }
  },
})

/** dweight[i] += sum over rows of dy[i] h[i], dbias[i] += sum of dy[i]; h and `stats` as in `normBackward`. */
export const normWeightBackward = operation({
  kernel: 'elementwise/norms-backward.h',
  record: { dweight: output('f32'), dbias: maybeOutput('f32'), stats: input('f32'), extent, dy: strided, x: strided },
  from: (dweight: Tensor, dbias: Tensor | null, dy: Tensor, x: Tensor, stats: Tensor) => {
    expectLike('normWeightBackward: x', x, 'f32', x)
    expectLike('normWeightBackward: dy', dy, 'f32', x)
    expectDense('normWeightBackward: dweight', dweight, 'f32', lastAxis(x))
    if (dbias) expectDense('normWeightBackward: dbias', dbias, 'f32', lastAxis(x))
    expectDense('normWeightBackward: stats', stats, 'f32', rowCount(x), 2)
    return { work: 3 * elementCount(x.shape), dweight, dbias, stats, extent: x.shape, dy, x }
  },
})
