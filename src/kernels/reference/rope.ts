/** The definitions of rope and of its backward rule. */
import type { Tensor } from '../../tensor/tensor.ts'
import { axisOf } from '../operations/check.ts'
import { type Memory, rowStarts } from './memory.ts'

export function rope(memory: Memory, y: Tensor, x: Tensor, cosSin: Tensor, interleaved: boolean): void {
  const T = axisOf(x, 0)
  const H = axisOf(x, 1)
  const n = axisOf(x, 2)
  const r = axisOf(cosSin, 1) / 2
  const to = memory.open(y, 'f32', 'rope: y')
  const from = memory.open(x, 'f32', 'rope: x')
  const table = memory.open(cosSin, 'f32', 'rope: cosSin')
  const xRows = rowStarts(x, from.start)
  const yRows = rowStarts(y, to.start)
  for (let row = 0; row < T * H; row++) {
    const xRow = xRows[row]!
    const yRow = yRows[row]!
    const angles = table.start + Math.floor(row / H) * 2 * r
    for (let i = 0; i < r; i++) {
      const cos = table.data[angles + i]!
      const sin = table.data[angles + r + i]!
      const first = interleaved ? 2 * i : i
      const second = interleaved ? 2 * i + 1 : i + r
      const a = from.data[xRow + first]!
      const b = from.data[xRow + second]!
      to.data[yRow + first] = a * cos - b * sin
      to.data[yRow + second] = a * sin + b * cos
    }
    for (let i = 2 * r; i < n; i++) to.data[yRow + i] = from.data[xRow + i]!
  }
}

export function ropeBackward(memory: Memory, dx: Tensor, dy: Tensor, cosSin: Tensor, interleaved: boolean): void {
  const [T, H, n] = [axisOf(dy, 0), axisOf(dy, 1), axisOf(dy, 2)]
  const r = axisOf(cosSin, 1) / 2
  const to = memory.open(dx, 'f32', 'ropeBackward: dx')
  const given = memory.open(dy, 'f32', 'ropeBackward: dy')
  const table = memory.open(cosSin, 'f32', 'ropeBackward: cosSin')
  const [toRows, givenRows] = [rowStarts(dx, to.start), rowStarts(dy, given.start)]
  for (let row = 0; row < T * H; row++) {
    const [toRow, givenRow] = [toRows[row]!, givenRows[row]!]
    const angles = table.start + Math.floor(row / H) * 2 * r
    for (let i = 0; i < r; i++) {
      const [cos, sin] = [table.data[angles + i]!, table.data[angles + r + i]!]
      const [first, second] = interleaved ? [2 * i, 2 * i + 1] : [i, i + r]
      const [a, b] = [given.data[givenRow + first]!, given.data[givenRow + second]!]
      to.data[toRow + first]! += a * cos + b * sin
      to.data[toRow + second]! += b * cos - a * sin
    }
    for (let i = 2 * r; i < n; i++) to.data[toRow + i]! += given.data[givenRow + i]!
  }
}
