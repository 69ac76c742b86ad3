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
