import { describe, expect, it } from 'vitest'
import { recoded } from '../../src/checkpoint/recode/recoded.ts'
import { weightTypeFor } from '../../src/checkpoint/recode/weight-type.ts'
import type { WeightSource } from '../../src/kernels/contract/weights.ts'
import { E4M3, encode } from '../../src/quant/halves.ts'
import { decodeNumbers, encodeNumbers } from '../../src/quant/numbers.ts'
import { Rng } from '../support/rng.ts'
import { weightSource } from '../support/weights.ts'

const [ROWS, COLS] = [6, 64]

describe('recoded', () => {
  const x = new Rng(1).normals(ROWS * COLS)

  it('gives the bytes of the other type, whole and in parts that cut rows and blocks', async () => {
    const want = encodeNumbers('q5_1', x)
    const source = recoded(weightSource('w', 'f32', ROWS, COLS, x), 'q5_1')
    expect([source.dtype, source.rows, source.cols]).toEqual(['q5_1', ROWS, COLS])
    expect(await all(source)).toEqual(want)
    for (const [start, end] of [
      [0, 1],
      [47, 49],
      [5, want.length - 3],
      [want.length - 1, want.length],
    ] as const) {
      expect(await source.bytes.source.read(start, end - start)).toEqual(want.subarray(start, end))
    }
  })

  it('reads every type that weights have', async () => {
    for (const type of ['f16', 'bf16', 'q8_0', 'q4_0', 'iq4_nl'] as const) {
      const stored = encodeNumbers(type, x)
      const got = decodeNumbers('f32', await all(recoded(weightSource('w', type, ROWS, COLS, stored), 'f32')))
      expect(got).toEqual(decodeNumbers(type, stored))
    }
  })

  it('multiplies FP8 by its factors', async () => {
    const codes = Uint8Array.from(x, v => encode(v, E4M3))
    const factors = Float32Array.from([1, 2, 4, 8, 16, 32])
    const scales = { data: factors, blockRows: 4, blockCols: 32 }
    const source = recoded(weightSource('w', 'e4m3', ROWS, COLS, codes, { scales }), 'f32')
    const plain = decodeNumbers('e4m3', codes)
    const factor = (i: number) => factors[Math.floor(i / COLS / 4) * 2 + Math.floor((i % COLS) / 32)]!
    expect(decodeNumbers('f32', await all(source))).toEqual(plain.map((v, i) => v * factor(i)))
    const last = await source.bytes.source.read(4 * 5 * COLS, 4 * COLS)
    expect(decodeNumbers('f32', last)).toEqual(plain.map((v, i) => v * factor(i)).subarray(5 * COLS))
  })

  it('turns what is stored [inputs, outputs]', async () => {
    const turned = new Float32Array(x.length)
    for (let n = 0; n < ROWS; n++) for (let k = 0; k < COLS; k++) turned[k * ROWS + n] = x[n * COLS + k]!
    const source = weightSource('w', 'f32', ROWS, COLS, turned, { transposed: true })
    expect(await all(recoded(source, 'q8_0'))).toEqual(encodeNumbers('q8_0', x))
    expect(decodeNumbers('f32', await all(recoded(source, 'f32')))).toEqual(x)
  })

  it('leaves alone what has the type', () => {
    const source = weightSource('w', 'q4_0', ROWS, COLS, encodeNumbers('q4_0', x))
    expect(recoded(source, 'q4_0')).toBe(source)
  })

  it.each([Number.NaN, Number.NEGATIVE_INFINITY, 70_000])('refuses %d, by name', async bad => {
    const damaged = x.slice()
    damaged[77] = bad
    const source = weightSource('blk.0.w', 'f32', ROWS, COLS, damaged)
    await expect(all(recoded(source, 'q8_0'))).rejects.toThrow(
      `blk.0.w: tensor "blk.0.w" holds ${bad}; q8_0 takes numbers up to 65504`,
    )
  })
})

describe('the type of a matrix', () => {
  it.each([
    ['q4_k', 'matrix', 512, 'q4_k'],
    ['q4_k', 'matrix', 128, 'q5_0'],
    ['q5_k', 'matrix', 128, 'q5_1'],
    ['q6_k', 'matrix', 128, 'q8_0'],
    ['q3_k', 'matrix', 96, 'iq4_nl'],
    ['q4_0', 'matrix', 48, 'f16'],
    ['q4_k', 'output', 512, 'q6_k'],
    ['q4_k', 'tied', 64, 'q8_0'],
    ['q8_0', 'output', 512, 'q8_0'],
    ['q4_k', 'embedding', 512, 'q4_k'],
    ['q4_k', 'latent', 512, 'q8_0'],
    ['q4_k', 'router', 512, 'f32'],
    ['f16', 'positions', 512, 'f32'],
    ['bf16', 'output', 512, 'bf16'],
  ] as const)('%s for %s with rows of %d: %s', (wanted, role, cols, type) => {
    expect(weightTypeFor(wanted, role, cols)).toBe(type)
  })
})

function all({ bytes }: WeightSource): Promise<Uint8Array> {
  return bytes.source.read(bytes.offset, bytes.length)
}
