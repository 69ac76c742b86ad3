import type { Tensor } from '../../tensor/tensor.ts'
import type { Activation } from '../contract/operation-options.ts'
import { lastAxis } from '../operations/check.ts'
import { gaussianTail } from './gaussian.ts'
import { type Memory, rowStarts } from './memory.ts'

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

export function activate(memory: Memory, y: Tensor, x: Tensor, activation: Activation): void {
  const act = ACTIVATIONS[activation]
  const n = lastAxis(x)
  const to = memory.open(y, 'f32', 'activate: y')
  const from = memory.open(x, 'f32', 'activate: x')
  const toRows = rowStarts(y, to.start)
  rowStarts(x, from.start).forEach((row, r) => {
    for (let i = 0; i < n; i++) to.data[toRows[r]! + i] = act(from.data[row + i]!)
  })
}

export function gate(memory: Memory, y: Tensor, gates: Tensor, up: Tensor, activation: Activation): void {
  const act = ACTIVATIONS[activation]
  const n = lastAxis(gates)
  const to = memory.open(y, 'f32', 'gate: y')
  const from = memory.open(gates, 'f32', 'gate: gate')
  const factor = memory.open(up, 'f32', 'gate: up')
  const toRows = rowStarts(y, to.start)
  const factorRows = rowStarts(up, factor.start)
  rowStarts(gates, from.start).forEach((row, r) => {
    for (let i = 0; i < n; i++) {
      const value = act(from.data[row + i]!) * factor.data[factorRows[r]! + i]!
      to.data[toRows[r]! + i] = value
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

export function activateBackward(memory: Memory, dx: Tensor, dy: Tensor, x: Tensor, activation: Activation): void {
  const slope = SLOPES[activation]
  const n = lastAxis(x)
  const to = memory.open(dx, 'f32', 'activateBackward: dx')
  const given = memory.open(dy, 'f32', 'activateBackward: dy')
  const from = memory.open(x, 'f32', 'activateBackward: x')
  const [toRows, givenRows] = [rowStarts(dx, to.start), rowStarts(dy, given.start)]
  rowStarts(x, from.start).forEach((row, r) => {
    for (let i = 0; i < n; i++) to.data[toRows[r]! + i]! += given.data[givenRows[r]! + i]! * slope(from.data[row + i]!)
  })
}

export function gateBackward(
  memory: Memory,
  dgates: Tensor,
  dup: Tensor,
  dy: Tensor,
  gates: Tensor,
  up: Tensor,
  activation: Activation,
  add = true,
): void {
  const [act, slope] = [ACTIVATIONS[activation], SLOPES[activation]]
  const n = lastAxis(gates)
  const toGates = memory.open(dgates, 'f32', 'gateBackward: dgates')
  const toUp = memory.open(dup, 'f32', 'gateBackward: dup')
  const given = memory.open(dy, 'f32', 'gateBackward: dy')
  const from = memory.open(gates, 'f32', 'gateBackward: gates')
  const factor = memory.open(up, 'f32', 'gateBackward: up')
  const [gateRows, upRows] = [rowStarts(dgates, toGates.start), rowStarts(dup, toUp.start)]
  const [givenRows, factorRows] = [rowStarts(dy, given.start), rowStarts(up, factor.start)]
  rowStarts(gates, from.start).forEach((row, r) => {
    for (let i = 0; i < n; i++) {
      const d = given.data[givenRows[r]! + i]!
      const x = from.data[row + i]!
      const [gate, up] = [gateRows[r]! + i, upRows[r]! + i]
      toGates.data[gate] = (add ? toGates.data[gate]! : 0) + d * factor.data[factorRows[r]! + i]! * slope(x)
      toUp.data[up] = (add ? toUp.data[up]! : 0) + d * act(x)
    }
  })
}
