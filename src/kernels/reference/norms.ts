/** The definitions of rmsNorm and layerNorm, and of their backward rules. */
import { lastAxis } from '../operations/check.ts'
import type { Definition } from './definition.ts'

export const rmsNorm: Definition<'rmsNorm'> = (memory, y, x, weight, eps) => {
  const n = lastAxis(x)
  const to = memory.rows(y, 'f32', 'rmsNorm: y')
  const from = memory.rows(x, 'f32', 'rmsNorm: x')
  const w = memory.open(weight, 'f32', 'rmsNorm: weight')
  from.rows.forEach((row, r) => {
    let squares = 0
    for (let i = 0; i < n; i++) squares += from.data[row + i]! ** 2
    const norm = Math.sqrt(squares / n + eps)
    for (let i = 0; i < n; i++) to.data[to.rows[r]! + i] = (from.data[row + i]! / norm) * w.data[w.start + i]!
  })
}

export const layerNorm: Definition<'layerNorm'> = (memory, y, x, weight, bias, eps) => {
  const n = lastAxis(x)
  const to = memory.rows(y, 'f32', 'layerNorm: y')
  const from = memory.rows(x, 'f32', 'layerNorm: x')
  const w = memory.open(weight, 'f32', 'layerNorm: weight')
  const b = bias && memory.open(bias, 'f32', 'layerNorm: bias')
  from.rows.forEach((row, r) => {
    let sum = 0
    for (let i = 0; i < n; i++) sum += from.data[row + i]!
    const mean = sum / n
    let squares = 0
    for (let i = 0; i < n; i++) squares += (from.data[row + i]! - mean) ** 2
    const deviation = Math.sqrt(squares / n + eps)
    for (let i = 0; i < n; i++) {
      const scaled = ((from.data[row + i]! - mean) / deviation) * w.data[w.start + i]!
      to.data[to.rows[r]! + i] = b ? scaled + b.data[b.start + i]! : scaled
    }
  })
}

export const normBackward: Definition<'normBackward'> = (memory, dx, stats, dy, x, weight, eps, centred) => {
  const n = lastAxis(x)
  const to = memory.rows(dx, 'f32', 'normBackward: dx')
  const known = memory.rows(stats, 'f32', 'normBackward: stats')
  const given = memory.rows(dy, 'f32', 'normBackward: dy')
  const from = memory.rows(x, 'f32', 'normBackward: x')
  const w = memory.open(weight, 'f32', 'normBackward: weight')
  from.rows.forEach((row, r) => {
    const numbers = from.data.subarray(row, row + n)
    const mean = centred ? numbers.reduce((sum, v) => sum + v, 0) / n : 0
    const deviation = Math.sqrt(numbers.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n + eps)
    const h = (i: number) => (numbers[i]! - mean) / deviation
    const g = (i: number) => given.data[given.rows[r]! + i]! * w.data[w.start + i]!
    let [sum, along] = [0, 0]
    for (let i = 0; i < n; i++) {
      sum += g(i)
      along += g(i) * h(i)
    }
    const shift = centred ? sum / n : 0
    for (let i = 0; i < n; i++) to.data[to.rows[r]! + i]! += (g(i) - shift - (h(i) * along) / n) / deviation
    known.data.set([mean, 1 / deviation], known.rows[r])
  })
}

export const normWeightBackward: Definition<'normWeightBackward'> = (memory, dweight, dbias, dy, x, stats) => {
  const to = memory.open(dweight, 'f32', 'normWeightBackward: dweight')
  const bias = dbias && memory.open(dbias, 'f32', 'normWeightBackward: dbias')
  const given = memory.rows(dy, 'f32', 'normWeightBackward: dy')
  const from = memory.rows(x, 'f32', 'normWeightBackward: x')
  const known = memory.rows(stats, 'f32', 'normWeightBackward: stats')
  for (let i = 0; i < lastAxis(x); i++) {
    let [sum, along] = [0, 0]
    from.rows.forEach((row, r) => {
      const d = given.data[given.rows[r]! + i]!
      const [mean, factor] = [known.data[known.rows[r]!]!, known.data[known.rows[r]! + 1]!]
      sum += d
      along += d * (from.data[row + i]! - mean) * factor
    })
    to.data[to.start + i]! += along
    if (bias) bias.data[bias.start + i]! += sum
  }
}
