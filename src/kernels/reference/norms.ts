/** The definitions of rmsNorm and layerNorm, and of their backward rules. */
import type { Tensor } from '../../tensor/tensor.ts'
import { lastAxis } from '../operations/check.ts'
import { type Memory, rowStarts } from './memory.ts'

export function rmsNorm(memory: Memory, y: Tensor, x: Tensor, weight: Tensor, eps: number): void {
  const n = lastAxis(x)
  const to = memory.open(y, 'f32', 'rmsNorm: y')
  const from = memory.open(x, 'f32', 'rmsNorm: x')
  const w = memory.open(weight, 'f32', 'rmsNorm: weight')
  const toRows = rowStarts(y, to.start)
  rowStarts(x, from.start).forEach((row, r) => {
    let squares = 0
    for (let i = 0; i < n; i++) squares += from.data[row + i]! ** 2
    const norm = Math.sqrt(squares / n + eps)
    for (let i = 0; i < n; i++) {
      to.data[toRows[r]! + i] = (from.data[row + i]! / norm) * w.data[w.start + i]!
    }
  })
}

export function layerNorm(
  memory: Memory,
  y: Tensor,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  eps: number,
): void {
  const n = lastAxis(x)
  const to = memory.open(y, 'f32', 'layerNorm: y')
  const from = memory.open(x, 'f32', 'layerNorm: x')
  const w = memory.open(weight, 'f32', 'layerNorm: weight')
  const b = bias && memory.open(bias, 'f32', 'layerNorm: bias')
  const toRows = rowStarts(y, to.start)
  rowStarts(x, from.start).forEach((row, r) => {
    let sum = 0
    for (let i = 0; i < n; i++) sum += from.data[row + i]!
    const mean = sum / n
    let squares = 0
    for (let i = 0; i < n; i++) squares += (from.data[row + i]! - mean) ** 2
    const deviation = Math.sqrt(squares / n + eps)
    for (let i = 0; i < n; i++) {
      const scaled = ((from.data[row + i]! - mean) / deviation) * w.data[w.start + i]!
      to.data[toRows[r]! + i] = b ? scaled + b.data[b.start + i]! : scaled
    }
  })
}

export function normBackward(
  memory: Memory,
  dx: Tensor,
  stats: Tensor,
  dy: Tensor,
  x: Tensor,
  weight: Tensor,
  eps: number,
  centred: boolean,
): void {
  const n = lastAxis(x)
  const to = memory.open(dx, 'f32', 'normBackward: dx')
  const known = memory.open(stats, 'f32', 'normBackward: stats')
  const given = memory.open(dy, 'f32', 'normBackward: dy')
  const from = memory.open(x, 'f32', 'normBackward: x')
  const w = memory.open(weight, 'f32', 'normBackward: weight')
  const [toRows, givenRows] = [rowStarts(dx, to.start), rowStarts(dy, given.start)]
  rowStarts(x, from.start).forEach((row, r) => {
    const numbers = from.data.subarray(row, row + n)
    const mean = centred ? numbers.reduce((sum, v) => sum + v, 0) / n : 0
    const deviation = Math.sqrt(numbers.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n + eps)
    const h = (i: number) => (numbers[i]! - mean) / deviation
    const g = (i: number) => given.data[givenRows[r]! + i]! * w.data[w.start + i]!
    let [sum, along] = [0, 0]
    for (let i = 0; i < n; i++) {
      sum += g(i)
      along += g(i) * h(i)
    }
    const shift = centred ? sum / n : 0
    for (let i = 0; i < n; i++) to.data[toRows[r]! + i]! += (g(i) - shift - (h(i) * along) / n) / deviation
    known.data.set([mean, 1 / deviation], known.start + 2 * r)
  })
}

export function normWeightBackward(
  memory: Memory,
  dweight: Tensor,
  dbias: Tensor | null,
  dy: Tensor,
  x: Tensor,
  stats: Tensor,
): void {
  const to = memory.open(dweight, 'f32', 'normWeightBackward: dweight')
  const bias = dbias && memory.open(dbias, 'f32', 'normWeightBackward: dbias')
  const given = memory.open(dy, 'f32', 'normWeightBackward: dy')
  const from = memory.open(x, 'f32', 'normWeightBackward: x')
  const known = memory.open(stats, 'f32', 'normWeightBackward: stats')
  const givenRows = rowStarts(dy, given.start)
  const rows = rowStarts(x, from.start)
  for (let i = 0; i < lastAxis(x); i++) {
    let [sum, along] = [0, 0]
    rows.forEach((row, r) => {
      const d = given.data[givenRows[r]! + i]!
      const [mean, factor] = [known.data[known.start + 2 * r]!, known.data[known.start + 2 * r + 1]!]
      sum += d
      along += d * (from.data[row + i]! - mean) * factor
    })
    to.data[to.start + i]! += along
    if (bias) bias.data[bias.start + i]! += sum
  }
}
