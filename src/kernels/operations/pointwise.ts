import { elementCount, type Tensor } from '../../tensor/tensor.ts'
import type { Activation, GateClamp } from '../contract/operation-options.ts'
import { expectLike } from './check.ts'
import { activation, EXPONENTIAL, extent, flag, operation, real, strided } from './fields.ts'

/** y = act(x). Strided; y may be x. */
export const activate = operation({
  kernel: 'elementwise/activate.h',
  record: { activation, extent, y: strided, x: strided },
  from: (y: Tensor, x: Tensor, activation: Activation) => {
    expectLike('activate: x', x, 'f32', x)
    expectLike('activate: y', y, 'f32', x)
    return { work: EXPONENTIAL * elementCount(x.shape), activation, extent: x.shape, y, x }
  },
})

/** y = act(gate) * up (SwiGLU, arXiv 2002.05202 eq. 6). Strided; y may be gate or up. */
export const gate = operation({
  kernel: 'elementwise/gate.h',
  record: { activation, extent, y: strided, gates: strided, up: strided },
  from: (y: Tensor, gates: Tensor, up: Tensor, activation: Activation) => {
    expectLike('gate: gate', gates, 'f32', gates)
    expectLike('gate: y', y, 'f32', gates)
    expectLike('gate: up', up, 'f32', gates)
    return { work: EXPONENTIAL * elementCount(gates.shape), activation, extent: gates.shape, y, gates, up }
  },
})

/** The backward rule of `activate`: dx += dy act'(x). Strided. */
export const activateBackward = operation({
  kernel: 'elementwise/activate-backward.h',
  record: { activation, extent, dx: strided, dy: strided, x: strided },
  from: (dx: Tensor, dy: Tensor, x: Tensor, activation: Activation) => {
    expectLike('activateBackward: x', x, 'f32', x)
    expectLike('activateBackward: dx', dx, 'f32', x)
    expectLike('activateBackward: dy', dy, 'f32', x)
    return { work: EXPONENTIAL * elementCount(x.shape), activation, extent: x.shape, dx, dy, x }
  },
})

/** The backward rule of `gate`: dgates += dy up act'(gates), dup += dy act(gates), or = where `add` is false. Strided. */
export const gateBackward = operation({
  kernel: 'elementwise/gate-backward.h',
  record: { activation, add: flag, extent, dgates: strided, dup: strided, dy: strided, gates: strided, up: strided },
  from: (
    dgates: Tensor,
    dup: Tensor,
    dy: Tensor,
    gates: Tensor,
    up: Tensor,
    activation: Activation,
    add: boolean = true,
  ) => {
    expectLike('gateBackward: gates', gates, 'f32', gates)
    expectLike('gateBackward: dgates', dgates, 'f32', gates)
    expectLike('gateBackward: dup', dup, 'f32', gates)
    expectLike('gateBackward: dy', dy, 'f32', gates)
    expectLike('gateBackward: up', up, 'f32', gates)
    return {
      work: EXPONENTIAL * elementCount(gates.shape),
      activation,
      add,
      extent: gates.shape,
      dgates,
      dup,
      dy,
      gates,
      up,
    }
  },
})

/**
 * y = (u + 1) g sigmoid(alpha g) with g = min(gate, limit) and u = up within -limit .. limit (gpt-oss, arXiv 2508.10925, section 2.2).
 * NaN stays NaN. Strided; y may be gate or up.
 */
export const clampedGate = operation({
  kernel: 'elementwise/clamped-gate.h',
  record: { alpha: real, limit: real, extent, y: strided, gates: strided, up: strided },
  from: (y: Tensor, gates: Tensor, up: Tensor, { alpha, limit }: GateClamp) => {
    expectLike('clampedGate: gate', gates, 'f32', gates)
    expectLike('clampedGate: y', y, 'f32', gates)
    expectLike('clampedGate: up', up, 'f32', gates)
    return { work: EXPONENTIAL * elementCount(gates.shape), alpha, limit, extent: gates.shape, y, gates, up }
  },
})
