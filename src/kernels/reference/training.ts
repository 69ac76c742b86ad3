/** The definitions of crossEntropy, divergence, relativeError, sumSquares and adamW. */
import { elementCount } from '../../tensor/tensor.ts'
import { SQUARES_EACH } from '../contract/operation-options.ts'
import { axisOf } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import { softmaxInPlace } from './softmax.ts'

export const crossEntropy: Definition<'crossEntropy'> = (memory, loss, dlogits, logits, targets, options) => {
  const { scale, smoothing = 0, zLoss = 0 } = options
  const V = axisOf(logits, 1)
  const losses = memory.open(loss, 'f32', 'crossEntropy: loss')
  const to = memory.rows(dlogits, 'f32', 'crossEntropy: dlogits')
  const from = memory.rows(logits, 'f32', 'crossEntropy: logits')
  const wanted = memory.open(targets, 'i32', 'crossEntropy: targets')
  from.rows.forEach((start, t) => {
    const target = wanted.data[wanted.start + t]!
    const row = to.data.subarray(to.rows[t], to.rows[t]! + V)
    if (target < 0) {
      losses.data[losses.start + t] = 0
      row.fill(0)
      return
    }
    const scores = from.data.subarray(start, start + V)
    const p = Float64Array.from(scores)
    const lse = softmaxInPlace(p)
    const mean = smoothing ? scores.reduce((sum, score) => sum + score, 0) / V : 0
    losses.data[losses.start + t] = lse - (1 - smoothing) * scores[target]! - smoothing * mean + zLoss * lse * lse
    p.forEach((share, v) => {
      const asked = (v === target ? 1 - smoothing : 0) + smoothing / V
      row[v] = scale * (share * (1 + 2 * zLoss * lse) - asked)
    })
  })
}

export const divergence: Definition<'divergence'> = (memory, loss, dlogits, logits, wanted, scale) => {
  const V = axisOf(logits, 1)
  const losses = memory.open(loss, 'f32', 'divergence: loss')
  const to = memory.rows(dlogits, 'f32', 'divergence: dlogits')
  const from = memory.rows(logits, 'f32', 'divergence: logits')
  const asked = memory.rows(wanted, 'f32', 'divergence: wanted')
  from.rows.forEach((start, t) => {
    const scores = Float64Array.from(from.data.subarray(start, start + V))
    const theirs = Float64Array.from(asked.data.subarray(asked.rows[t], asked.rows[t]! + V))
    const [q, p] = [scores.slice(), theirs.slice()]
    const more = softmaxInPlace(q) - softmaxInPlace(p)
    losses.data[losses.start + t] = p.reduce(
      (sum, share, v) => sum + (share && share * (theirs[v]! - scores[v]! + more)),
      0,
    )
    q.forEach((share, v) => {
      to.data[to.rows[t]! + v] = scale * (share - p[v]!)
    })
  })
}

export const relativeError: Definition<'relativeError'> = (memory, loss, dx, x, wanted, scale) => {
  const D = axisOf(x, 1)
  const losses = memory.open(loss, 'f32', 'relativeError: loss')
  const to = memory.rows(dx, 'f32', 'relativeError: dx')
  const from = memory.rows(x, 'f32', 'relativeError: x')
  const asked = memory.rows(wanted, 'f32', 'relativeError: wanted')
  from.rows.forEach((start, t) => {
    const theirs = Float64Array.from(asked.data.subarray(asked.rows[t], asked.rows[t]! + D))
    const off = theirs.map((w, i) => from.data[start + i]! - w)
    const squares = (row: Float64Array) => row.reduce((sum, value) => sum + value * value, 0)
    const energy = squares(theirs)
    losses.data[losses.start + t] = energy === 0 ? 0 : squares(off) / energy
    if (energy === 0) return
    off.forEach((value, i) => {
      to.data[to.rows[t]! + i]! += ((2 * scale) / energy) * value
    })
  })
}

export const sumSquares: Definition<'sumSquares'> = (memory, y, x) => {
  const n = elementCount(x.shape)
  const to = memory.open(y, 'f32', 'sumSquares: y')
  const { data, start } = memory.open(x, 'f32', 'sumSquares: x')
  for (let b = 0; b * SQUARES_EACH < n; b++) {
    const end = Math.min(n, (b + 1) * SQUARES_EACH)
    let sum = 0
    for (let i = b * SQUARES_EACH; i < end; i++) sum += data[start + i]! ** 2
    to.data[to.start + b] = sum
  }
}

export const adamW: Definition<'adamW'> = (memory, w, m, v, g, settings) => {
  const { rate, beta1, beta2, eps, decay, correction1, correction2, gradientScale } = settings
  const weights = memory.open(w, 'f32', 'adamW: w')
  const first = memory.open(m, 'f32', 'adamW: m')
  const second = memory.open(v, 'f32', 'adamW: v')
  const given = memory.open(g, 'f32', 'adamW: g')
  for (let i = 0; i < elementCount(w.shape); i++) {
    const gradient = gradientScale * given.data[given.start + i]!
    const moment = beta1 * first.data[first.start + i]! + (1 - beta1) * gradient
    const square = beta2 * second.data[second.start + i]! + (1 - beta2) * gradient * gradient
    const step = (rate * (moment / correction1)) / (Math.sqrt(square / correction2) + eps)
    weights.data[weights.start + i] = weights.data[weights.start + i]! * (1 - rate * decay) - step
    first.data[first.start + i] = moment
    second.data[second.start + i] = square
  }
}
