/** WebAssembly's two sets: which one a machine gets, and that the relaxed dot product is only used where it is exact. */
import { describe, expect, it } from 'vitest'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { OptionError, OutOfMemoryError } from '../../src/errors.ts'
import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { chooseSet, probeRelaxed } from '../../src/kernels/core/wasm/sets.ts'
import type { WeightType } from '../../src/tensor/dtype.ts'
import { relaxedMissing } from '../support/relaxed-simd.ts'

const SETS = [
  { isa: 'simd128', missing: null },
  { isa: 'relaxed-simd', missing: relaxedMissing },
]

describe('which set a machine gets', () => {
  it('is the one asked for, and for a native name the best', () => {
    expect(chooseSet('simd128')).toBe('simd128')
    expect(chooseSet('avx2')).toBe(chooseSet(undefined))
    const relaxed = probeRelaxed()
    expect(chooseSet(undefined)).toBe(relaxed?.fused && relaxed.exact && relaxed.fast ? 'relaxed-simd' : 'simd128')
    if (relaxedMissing) expect(() => chooseSet('relaxed-simd')).toThrow(OptionError)
    else expect(chooseSet('relaxed-simd')).toBe('relaxed-simd')
  })

  it.for(SETS)('is what the kernels say: $isa', async ({ isa, missing }, { skip }) => {
    if (missing) skip(missing)
    const kernels = await createWasmKernels({ isa, threads: 1 })
    expect(kernels.info).toMatchObject({ name: 'wasm', isa, numerics: `wasm-${isa}` })
    kernels.dispose()
  })
})

describe('the module of training', () => {
  it('has plain SIMD alone, and says so where more is asked for', async () => {
    const kernels = await createWasmKernels({ isa: 'avx2', threads: 1, training: true })
    expect(kernels.info).toMatchObject({ isa: 'simd128', numerics: 'wasm-simd128' })
    kernels.dispose()
    const asked = createWasmKernels({ isa: 'relaxed-simd', threads: 1, training: true })
    await expect(asked).rejects.toThrow(OptionError)
    await expect(asked).rejects.toThrow(/^isa is "relaxed-simd"; .* simd128 alone/)
  })

  it('refuses weights beyond 4 GiB before they are read', async () => {
    const options = { threads: 1, training: true }
    const asked = createWasmKernels({ ...options, weightBytes: 5 * 2 ** 30 })
    await expect(asked).rejects.toThrow(OutOfMemoryError)
    await expect(asked).rejects.toThrow(/take 5\.0 GiB; .*no module for more that trains.*native kernels/)
    const fits = await createWasmKernels({ ...options, weightBytes: 3.5 * 2 ** 30 })
    expect(fits.info.isa).toBe('simd128')
    fits.dispose()
  })
})

/** One step of 32 columns whose weights are all the same. */
const BLOCKS: readonly { readonly type: WeightType; readonly weights: number[]; block(w: number): number[] }[] = [
  {
    type: 'q8_0',
    weights: Array.from({ length: 256 }, (_, i) => i - 128),
    block: w => [0x00, 0x3c, ...Array<number>(32).fill(w & 255)],
  },
  {
    type: 'q4_0',
    weights: Array.from({ length: 16 }, (_, i) => i - 8),
    block: w => [0x00, 0x3c, ...Array<number>(16).fill((w + 8) * 17)],
  },
  {
    type: 'q5_0',
    weights: Array.from({ length: 32 }, (_, i) => i - 16),
    block: w => [
      0x00,
      0x3c,
      ...Array<number>(4).fill(w + 16 > 15 ? 255 : 0),
      ...Array<number>(16).fill(((w + 16) & 15) * 17),
    ],
  },
]

// Scales are 1 and sums are below 2^24, so results are whole numbers and every one of them must be right.
for (const { isa, missing } of SETS) {
  describe.skipIf(missing)(missing ? `${isa} (${missing})` : `${isa} multiplies every pair of bytes exactly`, () => {
    it.each(BLOCKS)('$type', async ({ type, weights, block }) => {
      const kernels = await createWasmKernels({ isa, threads: 1 })
      const data = Uint8Array.from(weights.flatMap(block))
      const bytes = { source: memorySource('every code', data), offset: 0, length: data.length }
      const w = await kernels.prepare({ name: 'every code', dtype: type, rows: weights.length, cols: 32, bytes })
      // The largest activation is 127 in every row, so its scale is 1.
      const activations = Array.from({ length: 255 }, (_, i) => i - 127)
      const rows = activations.map(x => [127, ...Array<number>(31).fill(x)])
      // Many tokens, few and one: other tiles.
      for (const T of [255, 3, 1]) {
        for (let first = 0; first + T <= 255; first += T === 1 ? 127 : T) {
          const x = kernels.memory.alloc('f32', [T, 32])
          const y = kernels.memory.alloc('f32', [T, weights.length])
          kernels.memory.upload(x, Float32Array.from(rows.slice(first, first + T).flat()))
          kernels.matmul(y, x, w)
          await kernels.submit()
          const expected = activations.slice(first, first + T).flatMap(a => weights.map(b => 127 * b + 31 * a * b))
          const wrong = [...((await kernels.memory.read(y)) as Float32Array)].filter(
            (value, i) => value !== expected[i],
          )
          expect(wrong).toEqual([])
          kernels.memory.free(x)
          kernels.memory.free(y)
        }
      }
      kernels.dispose()
    })
  })
}
