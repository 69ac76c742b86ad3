import { describe, expect, it } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { cacheFormat, rowSegments } from '../../src/planning/cache-format.ts'
import type { LayerKind } from '../../src/planning/plan-model.ts'
import { publishedModel } from '../../src/planning/published/index.ts'
import { tensorBytes, weightFormat } from '../../src/planning/weight-format.ts'
import { WEIGHT_TYPES } from '../../src/tensor/dtype.ts'

const kindOf = (name: string) => publishedModel(name).layers[0] as LayerKind
const bytes = (name: string, format: string) =>
  Object.fromEntries(rowSegments(kindOf(name), cacheFormat(format)).map(s => [s.name, s.bytes]))

describe('a row of a cache', () => {
  // 512 + 64 numbers; ggml's blocks are 32 or 256 numbers with their scales.
  it.each([
    ['f32', 2048, 256],
    ['bf16', 1024, 128],
    ['float16', 1024, 128],
    ['fp8', 512, 64],
    ['q8_0', 16 * 34, 2 * 34],
    ['q5_1', 16 * 24, 2 * 24],
    ['q5_0', 16 * 22, 2 * 22],
    ['q4_1', 16 * 20, 2 * 20],
    ['q4_0', 16 * 18, 2 * 18],
    ['iq4_nl', 16 * 18, 2 * 18],
    ['mxfp4', 16 * 17, 2 * 17],
    ['q8_0/bf16', 16 * 34, 128],
    ['Q4_0/f32', 16 * 18, 256],
    ['q4_k/f16', 2 * 144, 128],
    ['fp8_ds_mla', 512 + 4 * 4, 128],
    ['int8', 512 + 4, 128],
  ])('of DeepSeek-V3 in %s: latent %d, rope key %d', (format, latent, ropeKey) => {
    expect(bytes('V3', format)).toEqual({ latent, ropeKey })
  })

  it('of grouped attention: keys and values of all key-value heads', () => {
    expect(bytes('Llama-3-8B', 'q8_0')).toEqual({ key: (1024 / 32) * 34, value: (1024 / 32) * 34 })
    expect(bytes('Llama-3-8B', 'q8_0/q4_0')).toEqual({ key: (1024 / 32) * 34, value: (1024 / 32) * 18 })
    expect(bytes('Falcon-7B', 'bf16')).toEqual({ key: 128, value: 128 })
  })

  it('of a sparse model also the key that chooses', () => {
    expect(bytes('V3.2', 'bf16')).toEqual({ latent: 1024, ropeKey: 128, indexKey: 256 })
    expect(bytes('V3.2', 'fp8_ds_mla')).toEqual({ latent: 528, ropeKey: 128, indexKey: 128 + 4 })
  })

  it.each([
    ['q9_9', /no cache type "q9_9".*f32, f16, bf16.*fp8_ds_mla/],
    ['', /no cache type ""/],
    ['q8_0/bf16/f32', /no cache type/],
    ['constructor', /no cache type "constructor"/],
  ])('refuses %j', (format, message) => {
    expect(() => cacheFormat(format)).toThrow(OptionError)
    expect(() => cacheFormat(format)).toThrow(message)
  })

  it('refuses what no engine would store', () => {
    expect(() => bytes('V3', 'q4_k')).toThrow(/q4_k stores 256 numbers together.*row of 64.*q8_0\/bf16/)
    expect(() => bytes('Llama-3-8B', 'fp8_ds_mla')).toThrow(/layout for latents/)
    expect(() => bytes('gpt2', 'int8')).toThrow(/layout for latents/)
  })
})

describe('weights', () => {
  const part = { name: 'w', count: 1, experts: null } as const

  it('FP8 has an f32 per 128 x 128, ragged edges included; embeddings and routers stay at 16 bits', () => {
    const fp8 = weightFormat('fp8')
    expect(tensorBytes({ ...part, role: 'matrix', rows: 192, cols: 320 }, fp8)).toBe(192 * 320 + 4 * 2 * 3)
    expect(tensorBytes({ ...part, role: 'expert', rows: 128, cols: 128 }, fp8)).toBe(128 * 128 + 4)
    expect(tensorBytes({ ...part, role: 'lookup', rows: 10, cols: 320 }, fp8)).toBe(2 * 3200)
    expect(tensorBytes({ ...part, role: 'router', rows: 10, cols: 320 }, fp8)).toBe(2 * 3200)
  })

  it('blocks: rows that do not fill them fall back as llama-quantize has it; norms stay f32', () => {
    const bytesIn = (name: string, cols: number) =>
      tensorBytes({ ...part, role: 'matrix', rows: 2, cols }, weightFormat(name))
    expect(bytesIn('q4_0', 64)).toBe(2 * 2 * 18)
    expect(bytesIn('q4_k_m', 512)).toBe(2 * 2 * 144)
    expect(bytesIn('q4_k', 128)).toBe(2 * 4 * WEIGHT_TYPES.q5_0.bytes)
    expect(bytesIn('q6_k', 128)).toBe(2 * 4 * WEIGHT_TYPES.q8_0.bytes)
    expect(bytesIn('q5_k', 128)).toBe(2 * 4 * WEIGHT_TYPES.q5_1.bytes)
    expect(bytesIn('q8_0', 40)).toBe(2 * 40 * 2)
    expect(tensorBytes({ ...part, role: 'vector', rows: 1, cols: 64 }, weightFormat('q4_0'))).toBe(256)
    expect(() => weightFormat('int3')).toThrow(/no weight type "int3".*q8_0/)
  })
})
