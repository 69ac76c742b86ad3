/** Norms, activations and rotary positions of the reference against the operation oracles. */
import { expect } from 'vitest'
import type { Activation } from '../../src/kernels/contract/operation-options.ts'
import type { WeightSource } from '../../src/kernels/contract/weights.ts'
import type { RopeFrequencies } from '../../src/nn/attention/rope.ts'
import { writeAngles } from '../../src/nn/attention/rope-angles.ts'
import type { Tensor, TypedArray } from '../../src/tensor/tensor.ts'
import { runFixtures } from '../support/fixtures.ts'
import { weightSource } from '../support/weights.ts'

/** Both sides are f64 rounded to f32: they differ by one rounding where the f64 results straddle a border. */
const ONE_ROUNDING = { rel: 2e-7, abs: 0 }
/** A result made from f32 intermediates, of size about 1. */
const SEVERAL_ROUNDINGS = { rel: 1e-6, abs: 1e-6 }

runFixtures('norms', async c => {
  const k = c.kernels
  const x = c.tensor('x')
  const y = c.take(...x.shape)
  const weight =
    c.name === 'rms-gemma' ? await k.prepareVector(vectorSource(c.raw('weight').data), 1) : c.tensor('weight')
  if (c.has('bias')) k.layerNorm(y, x, weight, c.tensor('bias'), c.number('eps'))
  else k.rmsNorm(y, x, weight, c.number('eps'))
  // 1 + w is rounded to f32 by prepareVector, in f64 by the oracle.
  await c.check(y, 'y', c.name === 'rms-gemma' ? SEVERAL_ROUNDINGS : ONE_ROUNDING)
})

const ACTIVATION_OF: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  gelu_erf: 'gelu',
  gelu_tanh: 'gelu_tanh',
  quick_gelu: 'quick_gelu',
  sigmoid: 'sigmoid',
}

runFixtures('activations', async c => {
  const k = c.kernels
  const x = c.tensor('x')
  if (c.name === 'pointwise') {
    for (const [name, activation] of Object.entries(ACTIVATION_OF)) {
      const y = c.take(...x.shape)
      k.activate(y, x, activation)
      // The oracle's 1 + erf and 1 + tanh cancel in f64 for negative x.
      await c.check(y, name, { rel: 2e-7, abs: name.startsWith('gelu') ? 1e-14 : 1e-40 })
    }
    return
  }
  const T = x.shape[0]!
  const gate = await c.weight('gate')
  const up = await c.weight('up')
  const gated = c.take(T, gate.rows)
  const raised = c.take(T, up.rows)
  k.matmul(gated, x, gate)
  k.matmul(raised, x, up)
  k.gate(gated, gated, raised, c.name.startsWith('geglu') ? 'gelu_tanh' : 'silu')
  await c.check(gated, 'gated', SEVERAL_ROUNDINGS)
  const y = c.take(...x.shape)
  k.matmul(y, gated, await c.weight('down'))
  await c.check(y, 'y', SEVERAL_ROUNDINGS)
})

runFixtures('rope', async c => {
  const k = c.kernels
  const r = c.number('rotary_dim') / 2
  const frequencies = Float64Array.from({ length: r }, (_, i) => c.number('theta') ** (-i / r))
  const rotate = (x: Tensor, positions: ArrayLike<number>, interleaved: boolean) => {
    const y = c.take(...x.shape)
    const cosSin = c.put('f32', [x.shape[0]!, 2 * r], anglesOf(positions, { frequencies, factor: 1 }))
    k.rope(y, x, cosSin, interleaved)
    return y
  }
  if (c.name === 'interleaved-relative') {
    const want = c.raw('score').data
    const numbers = async (x: Tensor) => Array.from(await k.memory.read(x))
    for (const [i, p] of [1000, 3].entries()) {
      const q = await numbers(rotate(c.tensor('q'), [p], true))
      const key = await numbers(rotate(c.tensor('k'), [p - 3], true))
      const score = q.reduce((sum, value, j) => sum + value * key[j]!, 0)
      expect(Math.abs(score - want[i]!)).toBeLessThan(1e-6)
    }
    return
  }
  const y = rotate(c.tensor('x'), c.raw('positions').data, c.name.startsWith('interleaved'))
  // cos and sin are rounded to f32 in between, and a rotation may cancel.
  await c.check(y, 'y', { rel: 2e-7, abs: 3e-7 })
  if (c.has('as_halves')) {
    const halves = await k.memory.read(y)
    const want = c.raw('as_halves').data
    const n = 2 * r
    halves.forEach((value, at) => {
      const i = at % n
      const place = at - i + (i % 2 === 0 ? i / 2 : r + (i - 1) / 2)
      expect(Math.abs(value - want[place]!)).toBeLessThan(1e-6)
    })
  }
})

runFixtures('rope-frequencies', async c => {
  const frequencies = c.raw('inv_freq_f64').data as Float64Array
  const positions = c.raw('positions').data
  const [T, r] = [positions.length, frequencies.length]
  const table = anglesOf(positions, { frequencies, factor: c.number('attention_factor') })
  const half = (offset: number) =>
    Float32Array.from({ length: T * r }, (_, i) => table[Math.floor(i / r) * 2 * r + offset + (i % r)]!)
  // Angles reach 1e5 radians; two libraries reduce them in f64 to 1e-11.
  await c.check(c.put('f32', [T, r], half(0)), 'cos', { rel: 2e-7, abs: 1e-10 })
  await c.check(c.put('f32', [T, r], half(r)), 'sin', { rel: 2e-7, abs: 1e-10 })
})

/** f32 [T, 2r] */
function anglesOf(positions: ArrayLike<number>, rope: RopeFrequencies): Float32Array {
  const width = 2 * rope.frequencies.length
  const all = new Float32Array(positions.length * width)
  for (let t = 0; t < positions.length; t++) {
    writeAngles(all.subarray(t * width, (t + 1) * width), Number(positions[t]), rope)
  }
  return all
}

function vectorSource(data: TypedArray): WeightSource {
  return weightSource('weight', 'f32', 1, data.length, data)
}
