/** What training computes beside the backward rules, which stand with their operations: losses, a norm, the update of weights. */
import { elementCount, type Tensor } from '../../tensor/tensor.ts'
import { type AdamWSettings, type CrossEntropyOptions, SQUARES_EACH } from '../contract/operation-options.ts'
import { axisOf, expectContiguous, expectDense, expectLike } from './check.ts'
import { count, EXPONENTIAL, input, operation, output, real64 } from './fields.ts'

/**
 * loss[t] = lse(logits[t]) - logits[t, targets[t]], with options, and dlogits[t] = scale * d loss[t] / d logits[t]. loss f32 [T], targets
 * i32 [T], logits and dlogits f32 [T, V]; dlogits may be logits. A target below 0 asks for nothing: its loss and dlogits are 0.
 */
export const crossEntropy = operation({
  kernel: 'rows/cross-entropy.h',
  record: {
    loss: output('f32'),
    dlogits: output('f32'),
    logits: input('f32'),
    targets: input('i32'),
    T: count,
    V: count,
    scale: real64,
    smoothing: real64,
    zLoss: real64,
  },
  from: (loss: Tensor, dlogits: Tensor, logits: Tensor, targets: Tensor, options: CrossEntropyOptions) => {
    const [T, V] = [axisOf(logits, 0), axisOf(logits, 1)]
    expectDense('crossEntropy: logits', logits, 'f32', T, V)
    expectDense('crossEntropy: dlogits', dlogits, 'f32', T, V)
    expectDense('crossEntropy: loss', loss, 'f32', T)
    expectDense('crossEntropy: targets', targets, 'i32', T)
    const { scale, smoothing = 0, zLoss = 0 } = options
    return { work: 2 * EXPONENTIAL * T * V, loss, dlogits, logits, targets, T, V, scale, smoothing, zLoss }
  },
})

/**
 * loss[t] = KL(p || q) in nats, with p = softmax(wanted[t]) and q = softmax(logits[t]), and dlogits[t] = scale * (q - p), its derivative by
 * logits[t] times `scale`. loss f32 [T]; logits, wanted and dlogits f32 [T, V]; dlogits may be logits.
 */
export const divergence = operation({
  kernel: 'rows/divergence.h',
  record: {
    loss: output('f32'),
    dlogits: output('f32'),
    logits: input('f32'),
    wanted: input('f32'),
    T: count,
    V: count,
    scale: real64,
  },
  from: (loss: Tensor, dlogits: Tensor, logits: Tensor, wanted: Tensor, scale: number) => {
    const [T, V] = [axisOf(logits, 0), axisOf(logits, 1)]
    expectDense('divergence: logits', logits, 'f32', T, V)
    expectDense('divergence: wanted', wanted, 'f32', T, V)
    expectDense('divergence: dlogits', dlogits, 'f32', T, V)
    expectDense('divergence: loss', loss, 'f32', T)
    return { work: 4 * EXPONENTIAL * T * V, loss, dlogits, logits, wanted, T, V, scale }
  },
})

/**
 * loss[t] = |x[t] - wanted[t]|^2 / |wanted[t]|^2, and dx[t] += scale * d loss[t] / d x[t]. loss f32 [T]; x, wanted and dx f32 [T, D]. A row of
 * zeros asks for nothing: its loss is 0.
 */
export const relativeError = operation({
  kernel: 'rows/relative-error.h',
  record: {
    loss: output('f32'),
    dx: output('f32'),
    x: input('f32'),
    wanted: input('f32'),
    T: count,
    D: count,
    scale: real64,
  },
  from: (loss: Tensor, dx: Tensor, x: Tensor, wanted: Tensor, scale: number) => {
    const [T, D] = [axisOf(x, 0), axisOf(x, 1)]
    expectDense('relativeError: x', x, 'f32', T, D)
    expectDense('relativeError: wanted', wanted, 'f32', T, D)
    expectDense('relativeError: dx', dx, 'f32', T, D)
    expectDense('relativeError: loss', loss, 'f32', T)
    return { work: 4 * T * D, loss, dx, x, wanted, T, D, scale }
  },
})

/** y[b] = the sum of x[i]^2 over the b-th 65,536 numbers of x, any shape; y f32 [ceil(n / 65,536)]. For the norm of gradients. */
export const sumSquares = operation({
  kernel: 'elementwise/sum-squares.h',
  record: { y: output('f32'), x: input('f32'), n: count },
  from: (y: Tensor, x: Tensor) => {
    const n = elementCount(x.shape)
    expectContiguous('sumSquares: x', x)
    expectDense('sumSquares: y', y, 'f32', Math.ceil(n / SQUARES_EACH))
    return { work: n, y, x, n }
  },
})

/**
 * A step of AdamW (arXiv 1711.05101, algorithm 2, with the decay times the rate) on w, from the gradient g: m and v are its first
 * and second moments. All f32, contiguous, of one shape.
 *
 *     g' = gradientScale g     m = beta1 m + (1 - beta1) g'     v = beta2 v + (1 - beta2) g'^2
 *     w = w (1 - rate decay) - rate (m / correction1) / (sqrt(v / correction2) + eps)
 */
export const adamW = operation({
  kernel: 'elementwise/adamw.h',
  record: {
    w: output('f32'),
    m: output('f32'),
    v: output('f32'),
    g: input('f32'),
    n: count,
    rate: real64,
    beta1: real64,
    beta2: real64,
    eps: real64,
    decay: real64,
    correction1: real64,
    correction2: real64,
    gradientScale: real64,
  },
  from: (w: Tensor, m: Tensor, v: Tensor, g: Tensor, settings: AdamWSettings) => {
    for (const tensor of [w, m, v, g]) {
      expectLike('adamW', tensor, 'f32', w)
      expectContiguous('adamW', tensor)
    }
    const n = elementCount(w.shape)
    return { work: 8 * n, w, m, v, g, n, ...settings }
  },
})
