/** The definitions of rope and of its backward rule. */
import { axisOf } from '../operations/check.ts'
import type { Definition } from './definition.ts'

export const rope: Definition<'rope'> = (memory, y, x, cosSin, interleaved) => {
  const [H, n, r] = [axisOf(x, 1), axisOf(x, 2), axisOf(cosSin, 1) / 2]
  const to = memory.rows(y, 'f32', 'rope: y')
  const from = memory.rows(x, 'f32', 'rope: x')
  const angles = memory.rows(cosSin, 'f32', 'rope: cosSin')
  from.rows.forEach((xRow, row) => {
    const yRow = to.rows[row]!
    const cosines = angles.rows[Math.floor(row / H)]!
    for (let i = 0; i < r; i++) {
      const [cos, sin] = [angles.data[cosines + i]!, angles.data[cosines + r + i]!]
      const [first, second] = interleaved ? [2 * i, 2 * i + 1] : [i, i + r]
      const [a, b] = [from.data[xRow + first]!, from.data[xRow + second]!]
      to.data[yRow + first] = a * cos - b * sin
      to.data[yRow + second] = a * sin + b * cos
    }
    for (let i = 2 * r; i < n; i++) to.data[yRow + i] = from.data[xRow + i]!
  })
}

export const ropeBackward: Definition<'ropeBackward'> = (memory, dx, dy, cosSin, interleaved) => {
  const [H, n, r] = [axisOf(dy, 1), axisOf(dy, 2), axisOf(cosSin, 1) / 2]
  const to = memory.rows(dx, 'f32', 'ropeBackward: dx')
  const given = memory.rows(dy, 'f32', 'ropeBackward: dy')
  const angles = memory.rows(cosSin, 'f32', 'ropeBackward: cosSin')
  given.rows.forEach((dyRow, row) => {
    const dxRow = to.rows[row]!
    const cosines = angles.rows[Math.floor(row / H)]!
    for (let i = 0; i < r; i++) {
      const [cos, sin] = [angles.data[cosines + i]!, angles.data[cosines + r + i]!]
      const [first, second] = interleaved ? [2 * i, 2 * i + 1] : [i, i + r]
      const [a, b] = [given.data[dyRow + first]!, given.data[dyRow + second]!]
      to.data[dxRow + first]! += a * cos + b * sin
      to.data[dxRow + second]! += b * cos - a * sin
    }
    for (let i = 2 * r; i < n; i++) to.data[dxRow + i]! += given.data[dyRow + i]!
  })
}
