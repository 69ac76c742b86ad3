/** The definitions of rmsNorm and layerNorm. */
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
