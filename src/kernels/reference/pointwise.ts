import type { Activation } from '../contract/operation-options.ts'
import { lastAxis } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import { gaussianTail } from './gaussian.ts'

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const relu = (x: number) => Math.max(x, 0)

/** GELU and its approximation: arXiv 1606.08415. */
export const ACTIVATIONS: Readonly<Record<Activation, (x: number) => number>> = {
  silu: x => x / (1 + Math.exp(-x)),
  gelu: x => x * gaussianTail(-x),
  gelu_tanh: x => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  quick_gelu: x => x * sigmoid(1.702 * x),
  relu,
  relu2: x => relu(x) ** 2,
  sigmoid,
  tanh: Math.tanh,
}

export const activate: Definition<'activate'> = (memory, y, x, activation) => {
  const act = ACTIVATIONS[activation]
  const n = lastAxis(x)
  const to = memory.rows(y, 'f32', 'activate: y')
  const from = memory.rows(x, 'f32', 'activate: x')
  from.rows.forEach((row, r) => {
    for (let i = 0; i < n; i++) to.data[to.rows[r]! + i] = act(from.data[row + i]!)
  })
}

export const gate: Definition<'gate'> = (memory, y, gates, up, activation) => {
  const act = ACTIVATIONS[activation]
  const n = lastAxis(gates)
  const to = memory.rows(y, 'f32', 'gate: y')
  const from = memory.rows(gates, 'f32', 'gate: gate')
  const factor = memory.rows(up, 'f32', 'gate: up')
  from.rows.forEach((row, r) => {
    for (let i = 0; i < n; i++) {
      to.data[to.rows[r]! + i] = act(from.data[row + i]!) * factor.data[factor.rows[r]! + i]!
    }
  })
}

export const clampedGate: Definition<'clampedGate'> = (memory, y, gates, up, { alpha, limit }) => {
  const n = lastAxis(gates)
  const to = memory.rows(y, 'f32', 'clampedGate: y')
  const from = memory.rows(gates, 'f32', 'clampedGate: gate')
  const factor = memory.rows(up, 'f32', 'clampedGate: up')
  from.rows.forEach((row, r) => {
    for (let i = 0; i < n; i++) {
      const g = Math.min(from.data[row + i]!, limit)
      const u = Math.max(-limit, Math.min(factor.data[factor.rows[r]! + i]!, limit))
      to.data[to.rows[r]! + i] = (u + 1) * g * sigmoid(alpha * g)
    }
  })
}

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI)

/** d act(x) / dx. Where relu bends it is 0. */
const SLOPES: Readonly<Record<Activation, (x: number) => number>> = {
  silu: x => sigmoid(x) * (1 + x * sigmoid(-x)),
  gelu: x => gaussianTail(-x) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
  gelu_tanh: x => {
    const t = Math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x ** 3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x)
  },
  quick_gelu: x => sigmoid(1.702 * x) * (1 + 1.702 * x * sigmoid(-1.702 * x)),
  relu: x => (x > 0 ? 1 : 0),
  relu2: x => 2 * relu(x),
  sigmoid: x => sigmoid(x) * sigmoid(-x),
  tanh: x => 1 - Math.tanh(x) ** 2,
}

export const activateBackward: Definition<'activateBackward'> = (memory, dx, dy, x, activation) => {
  const slope = SLOPES[activation]
  const n = lastAxis(x)
  const to = memory.rows(dx, 'f32', 'activateBackward: dx')
  const given = memory.rows(dy, 'f32', 'activateBackward: dy')
  const from = memory.rows(x, 'f32', 'activateBackward: x')
  from.rows.forEach((row, r) => {
    for (let i = 0; i < n; i++) {
      to.data[to.rows[r]! + i]! += given.data[given.rows[r]! + i]! * slope(from.data[row + i]!)
    }
  })
}

export const gateBackward: Definition<'gateBackward'> = (
  memory,
  dgates,
  dup,
  dy,
  gates,
  up,
  activation,
  add = true,
) => {
  const [act, slope] = [ACTIVATIONS[activation], SLOPES[activation]]
  const n = lastAxis(gates)
  const toGates = memory.rows(dgates, 'f32', 'gateBackward: dgates')
  const toUp = memory.rows(dup, 'f32', 'gateBackward: dup')
  const given = memory.rows(dy, 'f32', 'gateBackward: dy')
  const from = memory.rows(gates, 'f32', 'gateBackward: gates')
  const factor = memory.rows(up, 'f32', 'gateBackward: up')
  from.rows.forEach((row, r) => {
    for (let i = 0; i < n; i++) {
      const d = given.data[given.rows[r]! + i]!
      const x = from.data[row + i]!
      const [gate, up] = [toGates.rows[r]! + i, toUp.rows[r]! + i]
      toGates.data[gate] = (add ? toGates.data[gate]! : 0) + d * factor.data[factor.rows[r]! + i]! * slope(x)
      toUp.data[up] = (add ? toUp.data[up]! : 0) + d * act(x)
    }
  })
}
