import { describe, expect, it } from 'vitest'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import type { TensorEntry } from '../../src/checkpoint/tensor-entry.ts'
import { CheckpointError } from '../../src/errors.ts'
import type { Architecture } from '../../src/families/gguf/architecture.ts'
import { ratesOf, withLogarithms } from '../../src/families/gguf/decay-rates.ts'
import { kimiLinear } from '../../src/families/kimi-linear/gguf.ts'
import type { WeightSource } from '../../src/kernels/contract/weights.ts'

const NAME = 'model.layers.0.self_attn.A_log'

function entryOf(numbers: readonly number[]): TensorEntry {
  const bytes = new Uint8Array(Float32Array.from(numbers).buffer)
  const shape = [numbers.length, 1]
  return {
    name: NAME,
    dtype: 'F32',
    shape,
    bytes: { source: memorySource('m.gguf', bytes), offset: 0, length: bytes.length },
  }
}

async function numbersOf({ bytes }: Pick<WeightSource, 'bytes'>): Promise<number[]> {
  return [...new Float32Array((await bytes.source.read(bytes.offset, bytes.length)).slice().buffer)]
}

describe.each([-1, 1] as const)('decay rates with sign %i', sign => {
  const architecture: Architecture = { ...kimiLinear, decayRates: sign }
  const read = (rates: readonly number[]) => withLogarithms(new Map([[NAME, entryOf(rates)]]), architecture).get(NAME)!

  it('are read as logarithms, and written back', async () => {
    const rates = [0.25, 1, 9.5].map(rate => sign * rate)
    const entry = read(rates)
    expect(entry.shape).toEqual([3, 1])
    const logarithms = await numbersOf(entry)
    expect(logarithms).toEqual([0.25, 1, 9.5].map(rate => Math.fround(Math.log(rate))))
    const source: WeightSource = { name: NAME, dtype: 'f32', rows: 1, cols: 3, bytes: entry.bytes }
    const back = await numbersOf(ratesOf(source, sign))
    for (const [i, rate] of rates.entries()) expect(back[i]).toBeCloseTo(rate, 5)
  })

  it('of 0 never decay; of the other sign they are refused', async () => {
    expect(await numbersOf(read([0]))).toEqual([Number.NEGATIVE_INFINITY])
    await expect(numbersOf(read([sign, -sign]))).rejects.toThrow(CheckpointError)
    await expect(numbersOf(read([-sign]))).rejects.toThrow(`"${NAME}" holds ${-sign}; expected rates of decay`)
  })
})
