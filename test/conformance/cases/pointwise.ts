import type { Activation } from '../../../src/kernels/contract/operation-options.ts'
import { lastOf, type Tensor } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import { SPECIALS } from './specials.ts'

const ACTIVATIONS: readonly Activation[] = [
  'silu',
  'gelu',
  'gelu_tanh',
  'quick_gelu',
  'relu',
  'relu2',
  'sigmoid',
  'tanh',
]

/** 1 + erf and 1 + tanh cancel for negative arguments. */
const key = (op: string, activation: Activation) =>
  activation === 'gelu' || activation === 'gelu_tanh' ? { tolerance: `${op} gelu` } : {}

const activations = ACTIVATIONS.flatMap((activation): ConformanceCase[] => [
  ...(
    [
      [1, 1],
      [3, 57],
      [2, 300],
      [40, 128],
      [0, 4],
    ] as const
  ).map(
    ([rows, n]): ConformanceCase => ({
      op: 'activate',
      ...key('activate', activation),
      name: `${activation} of ${rows} x ${n}`,
      record: lab => lab.k.activate(lab.output('y', 'f32', [rows, n]), lab.normals([rows, n], 4), activation),
    }),
  ),
  {
    op: 'activate',
    ...key('activate', activation),
    name: `${activation} of special numbers`,
    record(lab) {
      // A row each, so that the largest does not set the tolerance of the others.
      const shape = [SPECIALS.length, 1]
      lab.k.activate(lab.output('y', 'f32', shape), lab.input('f32', shape, SPECIALS), activation)
    },
  },
  {
    op: 'activate',
    ...key('activate', activation),
    name: `${activation} of special numbers in one row: NaN and infinity where they belong`,
    record(lab) {
      const shape = [1, SPECIALS.length]
      lab.k.activate(lab.output('y', 'f32', shape), lab.input('f32', shape, SPECIALS), activation)
    },
  },
  {
    op: 'activate',
    ...key('activate', activation),
    name: `${activation} between -12 and 12`,
    record(lab) {
      const n = 2401
      const x = lab.input(
        'f32',
        [n, 1],
        Float32Array.from({ length: n }, (_, i) => (i - 1200) / 100),
      )
      lab.k.activate(lab.output('y', 'f32', [n, 1]), x, activation)
    },
  },
  {
    op: 'activate',
    ...key('activate', activation),
    name: `${activation} in place, strided`,
    record(lab) {
      const y = lab.inout('y', 'f32', [5, 3, 20], lab.rng.normals(300, 3), whole => lastOf(whole, 4, 13))
      lab.k.activate(y, y, activation)
    },
  },
])

const gates = ACTIVATIONS.flatMap((activation): ConformanceCase[] => [
  {
    op: 'gate',
    ...key('gate', activation),
    name: `${activation}, halves of one projection`,
    record(lab) {
      const both = lab.normals([4, 2 * 37], 3)
      lab.k.gate(lab.output('y', 'f32', [4, 37]), lastOf(both, 0, 37), lastOf(both, 37, 37), activation)
    },
  },
  {
    op: 'gate',
    ...key('gate', activation),
    name: `${activation}, y is gate`,
    record(lab) {
      const y = lab.inout('y', 'f32', [3, 129], lab.rng.normals(387, 3))
      lab.k.gate(y, y, lab.normals([3, 129]), activation)
    },
  },
  {
    op: 'gate',
    ...key('gate', activation),
    name: `${activation}, y is up, strided`,
    record(lab) {
      const part = (whole: Tensor) => lastOf(whole, 1, 21)
      const y = lab.inout('y', 'f32', [2, 25], lab.rng.normals(50, 3), part)
      lab.k.gate(y, lab.normals([2, 21]), y, activation)
    },
  },
  {
    op: 'gate',
    ...key('gate', activation),
    name: `${activation} of nothing`,
    record: lab => lab.k.gate(lab.output('y', 'f32', [0, 9]), lab.normals([0, 9]), lab.normals([0, 9]), activation),
  },
])

const GPT_OSS = { alpha: 1.702, limit: 7 } as const

const clamped: readonly ConformanceCase[] = [
  {
    op: 'clampedGate',
    name: 'halves of one projection, many beyond the limit',
    record(lab) {
      const both = lab.normals([4, 2 * 37], 6)
      lab.k.clampedGate(lab.output('y', 'f32', [4, 37]), lastOf(both, 0, 37), lastOf(both, 37, 37), GPT_OSS)
    },
  },
  {
    op: 'clampedGate',
    name: 'y is up, strided, other constants',
    record(lab) {
      const y = lab.inout('y', 'f32', [2, 25], lab.rng.normals(50, 3), whole => lastOf(whole, 1, 21))
      lab.k.clampedGate(y, lab.normals([2, 21]), y, { alpha: 0.5, limit: 1.5 })
    },
  },
  {
    op: 'clampedGate',
    name: 'special gates',
    record(lab) {
      const shape = [SPECIALS.length, 1]
      const up = lab.normals(shape)
      lab.k.clampedGate(lab.output('y', 'f32', shape), lab.input('f32', shape, SPECIALS), up, GPT_OSS)
    },
  },
  {
    op: 'clampedGate',
    name: 'special up',
    record(lab) {
      const shape = [SPECIALS.length, 1]
      const gate = lab.normals(shape)
      lab.k.clampedGate(lab.output('y', 'f32', shape), gate, lab.input('f32', shape, SPECIALS), GPT_OSS)
    },
  },
]

export const pointwiseCases: readonly ConformanceCase[] = [...activations, ...gates, ...clamped]
