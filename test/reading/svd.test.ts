import { describe, expect, it } from 'vitest'
import { gram, lossByRank, type Matrix, projected, singularValues, symmetricEigen } from '../../src/reading/svd.ts'
import { Rng } from '../support/rng.ts'
import { ALONE } from './support.ts'

const { pause } = ALONE

function matrix(rows: number, cols: number, rank: number, seed: number): Matrix {
  const rng = new Rng(seed)
  const left = Array.from({ length: rows * rank }, () => rng.normal())
  const right = Array.from({ length: rank * cols }, () => rng.normal())
  const values = new Float32Array(rows * cols)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      let sum = 0
      for (let r = 0; r < rank; r++) sum += (left[i * rank + r] as number) * (right[r * cols + j] as number) * 0.8 ** r
      values[i * cols + j] = sum
    }
  }
  return { rows, cols, values }
}

const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((x, i) => x - (b[i] as number)))
const norm = (a: Float32Array) => Math.hypot(...a)

describe.each([
  ['tall', 90, 17, 17],
  ['wide', 13, 70, 13],
  ['square', 24, 24, 24],
  ['of rank 5', 40, 12, 5],
  ['one column', 9, 1, 1],
  ['one row', 1, 9, 1],
] as const)('a matrix that is %s', async (_, rows, cols, rank) => {
  const x = matrix(rows, cols, rank, rows)
  const { n, matrix: squares } = await gram(x, pause)
  const eigen = await symmetricEigen(n, squares, pause)
  const sigma = singularValues(eigen)

  it('has vectors that are orthonormal, and values that belong to them', async () => {
    const { n, matrix: a } = await gram(x, pause)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let product = 0
        let turned = 0
        for (let k = 0; k < n; k++)
          product += (eigen.vectors[k * n + i] as number) * (eigen.vectors[k * n + j] as number)
        for (let k = 0; k < n; k++) turned += (a[i * n + k] as number) * (eigen.vectors[k * n + j] as number)
        expect(product).toBeCloseTo(i === j ? 1 : 0, 10)
        const scaled = (eigen.values[j] as number) * (eigen.vectors[i * n + j] as number)
        expect(Math.abs(turned - scaled)).toBeLessThan(1e-9 * (1 + (eigen.values[0] as number)))
      }
    }
  })

  it('has singular values that are its size, as many as its rank', () => {
    expect(Math.hypot(...sigma)).toBeCloseTo(norm(x.values), 4)
    expect([...sigma]).toEqual([...sigma].sort((a, b) => b - a))
    // The numbers are f32: what is left beyond the rank is their rounding.
    expect(sigma.filter(s => s > 1e-5 * (sigma[0] as number))).toHaveLength(rank)
  })

  it('loses by a smaller rank what it says', async () => {
    const errors = lossByRank(eigen)
    expect(errors[0]).toBe(1)
    expect(errors).toHaveLength(n + 1)
    for (const r of [0, 1, Math.min(3, n), n]) {
      const loss = distance(await projected(x, eigen, r, pause), x.values) / norm(x.values)
      expect(Math.abs(loss - (errors[r] as number))).toBeLessThan(1e-6)
    }
  })
})

it('numbers that are all 0 lose nothing', async () => {
  const { n, matrix: squares } = await gram({ rows: 3, cols: 4, values: new Float32Array(12) }, pause)
  const eigen = await symmetricEigen(n, squares, pause)
  expect([...singularValues(eigen)]).toEqual([0, 0, 0])
  expect([...lossByRank(eigen)]).toEqual([0, 0, 0, 0])
})

it('numbers that are not finite are refused, and not worked at for ever', async () => {
  const { n, matrix: squares } = await gram({ rows: 3, cols: 4, values: new Float32Array(12).fill(Number.NaN) }, pause)
  await expect(symmetricEigen(n, squares, pause)).rejects.toThrow('expected finite numbers')
})

it('ends when its pause throws', async () => {
  let left = 40
  const ended = async () => {
    if (--left < 0) throw new Error('enough')
  }
  const { n, matrix: squares } = await gram(matrix(24, 24, 24, 1), ended)
  await expect(symmetricEigen(n, squares, ended)).rejects.toThrow('enough')
})
