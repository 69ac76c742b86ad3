import type { Tensor } from '../../tensor/tensor.ts'
import { axisOf, expect, expectDense, expectStrided } from './check.ts'
import { count, flag, input, operation, output } from './fields.ts'

/**
 * Rotates the first 2r of the last axis, copies the rest: pairs (2i, 2i+1) if interleaved (RoFormer, arXiv
 * 2104.09864 eq. 34; DeepSeek), else (i, i + r) (NeoX, Llama in hub layout). x, y [T, H, n], strided; y may be x.
 * cosSin f32 [T, 2r]: the cosines of each token's r angles, then the sines. The host computes them, in f64 and rounded
 * once: devices need not have f64.
 */
export const rope = operation({
  kernel: 'elementwise/rope.h',
  record: {
    y: output('f32', 'T', 'H'),
    x: input('f32', 'T', 'H'),
    cosSin: input('f32'),
    T: count,
    H: count,
    n: count,
    r: count,
    interleaved: flag,
  },
  from: (y: Tensor, x: Tensor, cosSin: Tensor, interleaved: boolean) => {
    const T = axisOf(x, 0)
    const H = axisOf(x, 1)
    const n = axisOf(x, 2)
    const r = axisOf(cosSin, 1) / 2
    expectStrided('rope: x', x, 'f32', T, H, n)
    expectStrided('rope: y', y, 'f32', T, H, n)
    expectDense('rope: cosSin', cosSin, 'f32', T, 2 * r)
    if (!Number.isInteger(r) || 2 * r > n) expect('rope: cosSin', false, `an even number of at most ${n} columns`)
    return { work: 4 * T * H * n, y, x, cosSin, T, H, n, r, interleaved }
  },
})

/** The backward rule of `rope`: dx += dy rotated by the opposite angles. Arguments as there, dx and dy strided. */
export const ropeBackward = operation({
  kernel: 'elementwise/rope-backward.h',
  record: {
    dx: output('f32', 'T', 'H'),
    dy: input('f32', 'T', 'H'),
    cosSin: input('f32'),
    T: count,
    H: count,
    n: count,
    r: count,
    interleaved: flag,
  },
  from: (dx: Tensor, dy: Tensor, cosSin: Tensor, interleaved: boolean) => {
    const [T, H, n] = [axisOf(dy, 0), axisOf(dy, 1), axisOf(dy, 2)]
    const r = axisOf(cosSin, 1) / 2
    expectStrided('ropeBackward: dy', dy, 'f32', T, H, n)
    expectStrided('ropeBackward: dx', dx, 'f32', T, H, n)
    expectDense('ropeBackward: cosSin', cosSin, 'f32', T, 2 * r)
    if (!Number.isInteger(r) || 2 * r > n)
      expect('ropeBackward: cosSin', false, `an even number of at most ${n} columns`)
    return { work: 4 * T * H * n, dx, dy, cosSin, T, H, n, r, interleaved }
  },
})
