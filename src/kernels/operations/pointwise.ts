import { elementCount, type Tensor } from '../../tensor/tensor.ts'
import type { Activation } from '../contract/operation-options.ts'
import { expectLike } from './check.ts'
import { activation, EXPONENTIAL, extent, operation, strided } from './fields.ts'

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
