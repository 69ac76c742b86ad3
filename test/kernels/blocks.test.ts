import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { RANDOM_BLOCK_TYPES, randomBlocks } from '../support/blocks.ts'
import { expectClose } from '../support/compare.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { Rng } from '../support/rng.ts'
import { weightSource } from '../support/weights.ts'

const [T, ROWS, COLS] = [21, 50, 512]

async function product(k: Kernels, type: (typeof RANDOM_BLOCK_TYPES)[number], x: Float32Array): Promise<Float32Array> {
  const w = await k.prepare(weightSource('w', type, ROWS, COLS, randomBlocks(type, ROWS * COLS, new Rng(5))))
  const count = x.length / COLS
  const [y, rows] = [k.memory.alloc('f32', [count, ROWS]), k.memory.alloc('f32', [count, COLS])]
  k.memory.upload(rows, x)
  k.matmul(y, rows, w)
  await k.submit()
  return (await k.memory.read(y)) as Float32Array
}

/** What the contract of products on blocks says of activations: 127 steps to the largest of each 32, ties to even. */
function roundedTo8Bits(x: Float32Array): Float32Array {
  const rounded = new Float32Array(x.length)
  for (let at = 0; at < x.length; at += 32) {
    const block = x.subarray(at, at + 32)
    const most = block.reduce((max, v) => Math.max(max, Math.abs(v)), 0)
    const [step, inverse] = [Math.fround(most / 127), Math.fround(127 / most)]
    block.forEach((v, i) => {
      rounded[at + i] = step * nearestEven(Math.fround(v * inverse))
    })
  }
  return rounded
}

function nearestEven(v: number): number {
  const whole = Math.round(v)
  return Math.abs(v - Math.trunc(v)) === 0.5 ? 2 * Math.round(v / 2) : whole
}

for (const { name, make, missing } of KERNEL_SETS.filter(set => set.name !== 'reference')) {
  describe.skipIf(missing)(`products on blocks, ${name}`, () => {
    const x = new Rng(3).normals(T * COLS)
    it.each(RANDOM_BLOCK_TYPES)('%s: activations are rounded to 8 bits per 32, all else is exact', async type => {
      const [k, reference] = [await make(), createReferenceKernels()]
      const decoded = type === 'iq2_xxs'
      const expected = await product(reference, type, decoded ? x : roundedTo8Bits(x))
      expectClose(type, await product(k, type, x), expected, { rel: 1e-5, abs: 2e-4 })
      k.dispose()
    })

    it('a row alone has the bits of the row in a batch', async () => {
      const k = await make({ threads: 3 })
      for (const type of RANDOM_BLOCK_TYPES) {
        const all = await product(k, type, x)
        for (const t of [0, 7, T - 1]) {
          const alone = await product(k, type, x.slice(t * COLS, (t + 1) * COLS))
          expect(alone, `${type}, row ${t}`).toEqual(all.slice(t * ROWS, (t + 1) * ROWS))
        }
      }
      k.dispose()
    })

    it('refuses a matrix of another size than its blocks, and one stored transposed', async () => {
      const k = await make()
      const bytes = randomBlocks('q4_0', ROWS * COLS, new Rng(2))
      for (const rows of [ROWS - 1, ROWS + 1]) {
        const source = weightSource('short', 'q4_0', rows, COLS, bytes)
        await expect(k.prepare(source)).rejects.toThrow(/short .*14400 bytes where 1\d{4} are expected/)
      }
      const turned = weightSource('turned', 'q4_0', ROWS, COLS, bytes, { transposed: true })
      await expect(k.prepare(turned)).rejects.toThrow(/turned is stored transposed/)
      k.dispose()
    })

    it('a row with NaN or infinity spoils no other; rows of zeros and of tiny numbers give zeros', async () => {
      const k = await make()
      const rows = x.slice(0, 5 * COLS)
      rows[COLS + 40] = Number.NaN
      rows[2 * COLS + 3] = Number.POSITIVE_INFINITY
      rows.fill(0, 3 * COLS, 4 * COLS).fill(1e-38, 4 * COLS)
      const y = await product(k, 'q8_0', rows)
      const row = (t: number) => [...y.slice(t * ROWS, (t + 1) * ROWS)]
      expect(row(0)).toEqual([...(await product(k, 'q8_0', x.slice(0, COLS)))])
      expect(row(1).every(Number.isNaN)).toBe(true)
      expect(row(2).every(Number.isNaN)).toBe(true)
      expect([...row(3), ...row(4)].every(v => v === 0)).toBe(true)
      k.dispose()
    })
  })
}

describe('memory of packed weights', () => {
  it.each(KERNEL_SETS.filter(set => set.name !== 'reference' && !set.missing))('$name counts it', async ({ make }) => {
    const k = await make()
    const before = k.memory.allocatedBytes
    const rows = 64
    const source = weightSource('w', 'q8_0', rows, COLS, randomBlocks('q8_0', rows * COLS, new Rng(1)))
    await k.prepare(source)
    expect(k.memory.allocatedBytes - before).toBe(source.bytes.length)
    k.dispose()
  })
})
