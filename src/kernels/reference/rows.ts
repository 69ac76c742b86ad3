/** The definitions of embed, gatherRows, copy, axpby, scatterRows, sumRows and fill. */
import { elementCount, type Tensor } from '../../tensor/tensor.ts'
import type { Weight } from '../contract/weights.ts'
import { axisOf, lastAxis } from '../operations/check.ts'
import { readNumbers, writeNumbers } from './convert.ts'
import { type Memory, rowStarts } from './memory.ts'
import { valuesOf } from './weights.ts'

export function embed(memory: Memory, y: Tensor, w: Weight, ids: Tensor, scale = 1): void {
  const T = axisOf(ids, 0)
  const to = memory.open(y, 'f32', 'embed: y')
  const id = memory.open(ids, 'i32', 'embed: ids')
  const from = memory.open(valuesOf(w, 'embed'), 'f32', 'embed: w')
  for (let t = 0; t < T; t++) {
    const row = from.start + id.data[id.start + t]! * w.cols
    for (let i = 0; i < w.cols; i++) to.data[to.start + t * w.cols + i] = scale * from.data[row + i]!
  }
}

export function gatherRows(memory: Memory, y: Tensor, x: Tensor, index: Tensor): void {
  const T = axisOf(index, 0)
  const cols = lastAxis(x)
  const to = memory.open(y, 'f32', 'gatherRows: y')
  const from = memory.open(x, 'f32', 'gatherRows: x')
  const rows = memory.open(index, 'i32', 'gatherRows: index')
  for (let t = 0; t < T; t++) {
    const row = from.start + rows.data[rows.start + t]! * cols
    to.data.set(from.data.subarray(row, row + cols), to.start + t * cols)
  }
}

export function copy(memory: Memory, y: Tensor, x: Tensor): void {
  const n = lastAxis(y)
  const to = memory.open(y, y.dtype, 'copy: y')
  const from = memory.open(x, x.dtype, 'copy: x')
  const toRows = rowStarts(y, to.start)
  const row = new Float64Array(n)
  rowStarts(x, from.start).forEach((start, r) => {
    readNumbers(row, from.data, start, x.dtype)
    writeNumbers(to.data, toRows[r]!, row, y.dtype)
  })
}

export function axpby(memory: Memory, y: Tensor, a: number, x: Tensor, b = 1, z?: Tensor): void {
  const n = lastAxis(y)
  const to = memory.open(y, 'f32', 'axpby: y')
  const from = memory.open(x, 'f32', 'axpby: x')
  const toRows = rowStarts(y, to.start)
  const fromRows = rowStarts(x, from.start)
  const other = z && memory.open(z, 'f32', 'axpby: z')
  const otherRows = z && other ? rowStarts(z, other.start) : []
  for (let r = 0; r < toRows.length; r++) {
    for (let i = 0; i < n; i++) {
      const first = a * from.data[fromRows[r]! + i]!
      const second = other ? b * other.data[otherRows[r]! + i]! : 0
      to.data[toRows[r]! + i] = other ? first + second : first
    }
  }
}

export function scatterRows(memory: Memory, y: Tensor, x: Tensor, index: Tensor, scale = 1): void {
  const T = axisOf(index, 0)
  const cols = lastAxis(x)
  const to = memory.open(y, 'f32', 'scatterRows: y')
  const from = memory.open(x, 'f32', 'scatterRows: x')
  const rows = memory.open(index, 'i32', 'scatterRows: index')
  for (let t = 0; t < T; t++) {
    const row = to.start + rows.data[rows.start + t]! * cols
    for (let i = 0; i < cols; i++) to.data[row + i]! += scale * from.data[from.start + t * cols + i]!
  }
}

export function sumRows(memory: Memory, y: Tensor, x: Tensor, scale: number): void {
  const to = memory.open(y, 'f32', 'sumRows: y')
  const from = memory.open(x, 'f32', 'sumRows: x')
  const rows = rowStarts(x, from.start)
  for (let n = 0; n < axisOf(x, 1); n++) {
    let sum = 0
    for (const row of rows) sum += from.data[row + n]!
    to.data[to.start + n]! += scale * sum
  }
}

export function fill(memory: Memory, y: Tensor, value: number): void {
  const { data, start } = memory.open(y, 'f32', 'fill: y')
  data.fill(value, start, start + elementCount(y.shape))
}
