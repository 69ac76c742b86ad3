/** The definitions of embed, gatherRows, copy, axpby, scatterRows, sumRows and fill. */
import { elementCount } from '../../tensor/tensor.ts'
import { axisOf, lastAxis } from '../operations/check.ts'
import { readNumbers, writeNumbers } from './convert.ts'
import type { Definition } from './definition.ts'
import { valuesOf } from './weights.ts'

export const embed: Definition<'embed'> = (memory, y, w, ids, scale = 1) => {
  const to = memory.rows(y, 'f32', 'embed: y')
  const id = memory.open(ids, 'i32', 'embed: ids')
  const from = memory.open(valuesOf(w, 'embed'), 'f32', 'embed: w')
  to.rows.forEach((row, t) => {
    const fromRow = from.start + id.data[id.start + t]! * w.cols
    for (let i = 0; i < w.cols; i++) to.data[row + i] = scale * from.data[fromRow + i]!
  })
}

export const gatherRows: Definition<'gatherRows'> = (memory, y, x, index) => {
  const to = memory.rows(y, 'f32', 'gatherRows: y')
  const from = memory.rows(x, 'f32', 'gatherRows: x')
  const rows = memory.open(index, 'i32', 'gatherRows: index')
  to.rows.forEach((row, t) => {
    const fromRow = from.rows[rows.data[rows.start + t]!]!
    to.data.set(from.data.subarray(fromRow, fromRow + lastAxis(x)), row)
  })
}

export const copy: Definition<'copy'> = (memory, y, x) => {
  const to = memory.rows(y, y.dtype, 'copy: y')
  const from = memory.rows(x, x.dtype, 'copy: x')
  const row = new Float64Array(lastAxis(y))
  from.rows.forEach((start, r) => {
    readNumbers(row, from.data, start, x.dtype)
    writeNumbers(to.data, to.rows[r]!, row, y.dtype)
  })
}

export const axpby: Definition<'axpby'> = (memory, y, a, x, b = 1, z) => {
  const n = lastAxis(y)
  const to = memory.rows(y, 'f32', 'axpby: y')
  const from = memory.rows(x, 'f32', 'axpby: x')
  const other = z && memory.rows(z, 'f32', 'axpby: z')
  to.rows.forEach((row, r) => {
    for (let i = 0; i < n; i++) {
      const first = a * from.data[from.rows[r]! + i]!
      to.data[row + i] = other ? first + b * other.data[other.rows[r]! + i]! : first
    }
  })
}

export const scatterRows: Definition<'scatterRows'> = (memory, y, x, index, scale = 1) => {
  const to = memory.rows(y, 'f32', 'scatterRows: y')
  const from = memory.rows(x, 'f32', 'scatterRows: x')
  const rows = memory.open(index, 'i32', 'scatterRows: index')
  from.rows.forEach((fromRow, t) => {
    const row = to.rows[rows.data[rows.start + t]!]!
    for (let i = 0; i < lastAxis(x); i++) to.data[row + i]! += scale * from.data[fromRow + i]!
  })
}

export const sumRows: Definition<'sumRows'> = (memory, y, x, scale) => {
  const to = memory.open(y, 'f32', 'sumRows: y')
  const from = memory.rows(x, 'f32', 'sumRows: x')
  for (let n = 0; n < axisOf(x, 1); n++) {
    let sum = 0
    for (const row of from.rows) sum += from.data[row + n]!
    to.data[to.start + n]! += scale * sum
  }
}

export const fill: Definition<'fill'> = (memory, y, value) => {
  const { data, start } = memory.open(y, 'f32', 'fill: y')
  data.fill(value, start, start + elementCount(y.shape))
}
