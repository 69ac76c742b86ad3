/** Experts in one tensor become matrices of their own, each with its factor. */
import { expect, it } from 'vitest'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { cutStackedExperts } from '../../src/checkpoint/stacked-experts.ts'

const STACK = 'model.layers.0.mlp.experts.gate_up_proj'
const source = memorySource('a file', new Uint8Array(1024))
const entry = (name: string, dtype: string, shape: number[], offset: number, length: number) =>
  [name, { name, dtype, shape, bytes: { source, offset, length } }] as const

/** 2 experts of 4 rows for gate and up, 3 columns, and factors of this shape behind them. */
const cut = (shape: number[]) =>
  cutStackedExperts(
    new Map([
      entry(STACK, 'F8_E4M3', [2, 4, 3], 0, 24),
      entry(`${STACK}_scale_inv`, 'F32', shape, 24, 4 * shape.reduce((n, d) => n * d, 1)),
    ]),
  )

it.each([
  [[2], [24, 24, 28, 28]],
  [
    [2, 1, 1],
    [24, 24, 28, 28],
  ],
  [[], [24, 24, 24, 24]],
])('factors of shape %j', (shape, offsets) => {
  const tensors = cut(shape)
  const modules = ['0.gate_proj', '0.up_proj', '1.gate_proj', '1.up_proj'].map(m => `model.layers.0.mlp.experts.${m}`)
  expect(modules.map(m => tensors.get(`${m}.weight`)?.bytes.offset)).toEqual([0, 6, 12, 18])
  expect(modules.map(m => tensors.get(`${m}.weight`)?.shape)).toEqual(modules.map(() => [2, 3]))
  expect(modules.map(m => tensors.get(`${m}.weight_scale_inv`)?.bytes.offset)).toEqual(offsets)
  expect(tensors.size).toBe(8)
})

it('refuses factors of blocks', () => {
  expect(() => cut([2, 2, 1])).toThrow('has shape [2, 2, 1]; expected a factor for each of 2 experts, or one for all')
})
