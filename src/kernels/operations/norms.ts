import { elementCount, type Tensor } from '../../tensor/tensor.ts'
import { expectLike, expectStrided, lastAxis } from './check.ts'
import { extent, input, maybe, operation, real64, strided } from './fields.ts'

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
