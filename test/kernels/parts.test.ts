/** Lists that are run in parts, so that they can be given up between two. */
import { describe, expect, it } from 'vitest'
import { cutIntoParts } from '../../src/kernels/core/parts.ts'
import { OPERATION_NAMES } from '../../src/kernels/operations/table.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { randomBlocks } from '../support/blocks.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { Rng } from '../support/rng.ts'
import { weightSource } from '../support/weights.ts'

/** A record: work, then arguments that end with `last`. */
const record = (name: string, work: number, last: number) => [OPERATION_NAMES.indexOf(name), 5, work, 7, last]

describe('parts of a list', () => {
  const cut = (...records: number[][]) => {
    const list = Float64Array.from(records.flat())
    const ends = cutIntoParts(list, 10)
    return { ends, flags: records.map((_, i) => list[5 * i + 4]) }
  }

  it('end after so much work, and hold every operation', () => {
    const small = record('copy', 4, 0)
    expect(cut(small, small, small, small).ends).toEqual([15, 20])
    expect(cut(record('copy', 40, 0), record('copy', 40, 0)).ends).toEqual([5, 10])
    expect(cut(small).ends).toEqual([5])
  })

  it('begin with a matmul only if it quantises its rows itself', () => {
    const [first, next, small] = [record('matmul', 20, 1), record('matmul', 20, 0), record('matmul', 5, 0)]
    expect(cut(first, next, first)).toEqual({ ends: [5, 10, 15], flags: [1, 1, 1] })
    expect(cut(record('matmul', 5, 1), small, small, small)).toEqual({ ends: [10, 20], flags: [1, 0, 1, 1] })
  })

  it('do not begin with another product that may find its rows quantised', () => {
    const [first, next] = [record('expertMatmul', 20, 1), record('expertMatmul', 20, 0)]
    expect(cut(first, next, next, first, record('copy', 1, 0)).ends).toEqual([15, 20, 25])
    // The matmul may be of floats, which need none.
    expect(cut(first, record('matmul', 5, 0), next, record('copy', 1, 0)).ends).toEqual([15, 20])
    const floats = record('matmul', 20, 0)
    expect(cut(record('copy', 20, 0), first, floats, floats, next, record('copy', 1, 0)).ends).toEqual([5, 25, 30])
  })
})

const there = KERNEL_SETS.filter(({ name, missing }) => name !== 'reference' && !missing)

describe.each(there)('$name kernels', set => {
  it('compute the same in parts, and drop what is left when the pause throws', async () => {
    const kernels = await set.make({ threads: 1 })
    const rng = new Rng('parts')
    // A product is a part; the second of the same rows finds them quantised.
    const [T, cols, rows] = [1024, 2048, 2048]
    const w = await kernels.prepare(weightSource('w', 'q8_0', rows, cols, randomBlocks('q8_0', rows * cols, rng)))
    const x = [0, 1].map(() => kernels.memory.alloc('f32', [T, cols]))
    const y = [0, 1, 2, 3].map(() => kernels.memory.alloc('f32', [T, rows]))
    for (const tensor of x) kernels.memory.upload(tensor, rng.normals(T * cols))
    const record = () => {
      for (const [i, to] of y.entries()) kernels.matmul(to, x[i >> 1] as Tensor, w)
    }
    const results = () => Promise.all(y.map(async tensor => Buffer.from((await kernels.memory.read(tensor)).buffer)))
    const cleared = () => {
      for (const tensor of y) kernels.memory.upload(tensor, new Float32Array(T * rows))
    }
    record()
    await kernels.submit()
    const whole = await results()

    cleared()
    record()
    let pauses = 0
    await kernels.submit(async () => {
      pauses++
      // Another's work comes between.
      kernels.matmul(y[3] as Tensor, x[0] as Tensor, w)
      await kernels.submit()
    })
    expect(pauses).toBe(3)
    expect((await results()).every((rows, i) => rows.equals(whole[i] as Buffer))).toBe(true)

    cleared()
    record()
    const given = kernels.submit(() => Promise.reject(new Error('enough')))
    await expect(given).rejects.toThrow('enough')
    await kernels.submit()
    const [first, ...others] = await results()
    expect(first?.equals(whole[0] as Buffer)).toBe(true)
    expect(others.every(rows => rows.every(byte => byte === 0))).toBe(true)
    kernels.dispose()
  })
})
