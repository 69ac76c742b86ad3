import type { Tensor } from '../../tensor/tensor.ts'
import type { Factors, HeadMatmulOptions, MatmulOptions, TrainingMatmulOptions } from '../contract/operation-options.ts'
import type { Weight } from '../contract/weights.ts'
import { axisOf, expect, expectDense, expectStrided } from './check.ts'
import { count, exact, flag, input, maybe, mustQuantise, operation, output, real, weight } from './fields.ts'

const NO_OPTIONS: MatmulOptions = {}

/** y[t, n] = sum_k x[t, k] W[n, k], with options. x, y f32 [T, cols], [T, rows]; x and y strided. */
export const matmul = operation({
  kernel: 'product/matmul.h',
  record: {
    y: output('f32', 'T'),
    x: input('f32', 'T'),
    T: count,
    scale: real,
    bias: maybe('f32'),
    w: weight,
    residual: maybe('f32', 'T'),
    mustQuantise,
  },
  from: (y: Tensor, x: Tensor, w: Weight, options: MatmulOptions = NO_OPTIONS) => {
    const { bias, residual, scale = 1 } = options
    const T = axisOf(x, 0)
    expectStrided('matmul: x', x, 'f32', T, w.cols)
    expectStrided('matmul: y', y, 'f32', T, w.rows)
    if (bias) expectStrided('matmul: bias', bias, 'f32', w.rows)
    if (residual) expectStrided('matmul: residual', residual, 'f32', T, w.rows)
    return { work: T * w.rows * w.cols, y, x, T, scale, bias, w, residual, mustQuantise: x }
  },
})

/**
 * The up-projections of MLA head by head: absorbing a query (transposed), raising an output to values (not).
 * x [T, H, in], y [T, H, out], both strided; x's head stride may be 0.
 */
export const headMatmul = operation({
  kernel: 'product/head-matmul.h',
  record: {
    y: output('f32', 'T', 'H'),
    x: input('f32', 'T', 'H'),
    T: count,
    H: count,
    headRows: count,
    firstRow: count,
    rows: count,
    transposed: flag,
    exact,
    w: weight,
    mustQuantise,
  },
  from: (y: Tensor, x: Tensor, w: Weight, options: HeadMatmulOptions) => {
    const { headRows, firstRow, rows, transposed, factors } = options
    const T = axisOf(x, 0)
    const H = axisOf(x, 1)
    expectStrided('headMatmul: x', x, 'f32', T, H, transposed ? rows : w.cols)
    expectStrided('headMatmul: y', y, 'f32', T, H, transposed ? w.cols : rows)
    if (firstRow < 0 || firstRow + rows > headRows || H * headRows > w.rows) {
      expect('headMatmul', false, `${H} heads of ${firstRow} + ${rows} <= ${headRows} rows in ${w.name} (${w.rows})`)
    }
    const work = T * H * rows * w.cols
    const exact = factors !== 'bf16'
    return { work, y, x, T, H, headRows, firstRow, rows, transposed, exact, w, mustQuantise: transposed ? null : x }
  },
})

/**
 * `matmul` of many rows, as training needs it; `factors: 'bf16'` rounds x and W to bf16 (to nearest, ties to even) before they are
 * multiplied. Sums are of f32, and sums of bf16 products do not round the products.
 */
export const trainingMatmul = operation({
  kernel: 'product/training-matmul.h',
  record: {
    y: output('f32', 'T'),
    x: input('f32', 'T'),
    T: count,
    scale: real,
    rounded: flag,
    bias: maybe('f32'),
    w: weight,
    residual: maybe('f32', 'T'),
  },
  from: (y: Tensor, x: Tensor, w: Weight, options: TrainingMatmulOptions = NO_OPTIONS) => {
    const { bias, residual, scale = 1, factors } = options
    const T = axisOf(x, 0)
    expectStrided('trainingMatmul: x', x, 'f32', T, w.cols)
    expectStrided('trainingMatmul: y', y, 'f32', T, w.rows)
    if (bias) expectStrided('trainingMatmul: bias', bias, 'f32', w.rows)
    if (residual) expectStrided('trainingMatmul: residual', residual, 'f32', T, w.rows)
    return { work: T * w.rows * w.cols, y, x, T, scale, rounded: factors === 'bf16', bias, w, residual }
  },
})

/**
 * The backward rule of `matmul` for x: dx[t, k] += scale * sum_n dy[t, n] W[n, k], or = where `add` is false. dy [T, rows], dx [T, cols],
 * both strided. `factors`: as for `trainingMatmul`.
 */
export const matmulBackward = operation({
  kernel: 'product/matmul-backward.h',
  record: { dx: output('f32', 'T'), dy: input('f32', 'T'), T: count, scale: real, rounded: flag, add: flag, w: weight },
  from: (dx: Tensor, dy: Tensor, w: Weight, scale: number, factors: Factors = 'f32', add: boolean = true) => {
    const T = axisOf(dy, 0)
    expectStrided('matmulBackward: dy', dy, 'f32', T, w.rows)
    expectStrided('matmulBackward: dx', dx, 'f32', T, w.cols)
    return { work: T * w.rows * w.cols, dx, dy, T, scale, rounded: factors === 'bf16', add, w }
  },
})

/**
 * The backward rule of `matmul` for W: dw[n, k] += scale * sum_t dy[t, n] x[t, k]. dw f32 [rows, cols]; dy, x strided. `factors`: as for
 * `trainingMatmul`, of dy and x.
 */
export const weightBackward = operation({
  kernel: 'product/weight-backward.h',
  record: {
    dw: output('f32'),
    dy: input('f32', 'T'),
    x: input('f32', 'T'),
    T: count,
    rows: count,
    cols: count,
    scale: real,
    rounded: flag,
  },
  from: (dw: Tensor, dy: Tensor, x: Tensor, scale: number, factors: Factors = 'f32') => {
    const [T, rows, cols] = [axisOf(x, 0), axisOf(dy, 1), axisOf(x, 1)]
    expectStrided('weightBackward: x', x, 'f32', T, cols)
    expectStrided('weightBackward: dy', dy, 'f32', T, rows)
    expectDense('weightBackward: dw', dw, 'f32', rows, cols)
    return { work: T * rows * cols, dw, dy, x, T, rows, cols, scale, rounded: factors === 'bf16' }
  },
})
