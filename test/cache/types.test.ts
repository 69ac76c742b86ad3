import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CACHE_TYPE_NAMES, type CacheTypeName } from '../../src/cache/types.ts'
import { defaultCacheType } from '../../src/engine/load/default-cache-type.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Model } from '../../src/model/model.ts'
import type { LatentAttentionConfig } from '../../src/nn/attention/config.ts'
import { modelCacheLayout } from '../../src/nn/cache-layout.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { randomGroupedConfig, randomLatentConfig, randomModel } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'

const V3: LatentAttentionConfig = {
  ...{ kind: 'latent', nHeads: 128, qLoraRank: 1536, kvLoraRank: 512, qkNopeHeadDim: 128, qkRopeHeadDim: 64 },
  ...{ vHeadDim: 128, softmaxScale: 1, latentNormEps: 1e-6 },
}
const rowBytes = (types: CacheTypeName) => modelCacheLayout([{ attention: V3, window: null }], types, 64).bytesPerToken

describe('types of cached rows', () => {
  it('have the bytes of DeepSeek-V3 that their layouts say', () => {
    expect(rowBytes('f32')).toBe(576 * 4)
    expect(rowBytes('f16')).toBe(576 * 2)
    expect(rowBytes('f16/f32')).toBe(512 * 2 + 64 * 4)
    expect(rowBytes('int8')).toBe(512 + 4 + 64 * 2)
    expect(rowBytes('fp8_ds_mla')).toBe(656)
  })

  it('are bf16 beside quantised weights where that is fast, else f16', () => {
    const q8 = [{ dtype: 'f32' }, { dtype: 'q8_0' }] as const
    expect(defaultCacheType({ isa: 'avx512bf16' }, q8, false)).toBe('bf16')
    expect(defaultCacheType({ isa: 'avx512bf16' }, q8, true)).toBe('f16')
    expect(defaultCacheType({ isa: 'avx512bf16' }, [{ dtype: 'bf16' }], false)).toBe('f16')
    expect(defaultCacheType({ isa: 'avx2' }, q8, false)).toBe('f16')
  })
})

/** Relative to the root mean square of the logits of the same model with rows of f32. */
const ALLOWED = { f32: 1e-5, f16: 2e-3, bf16: 2e-2, int8: 4e-2, fp8_ds_mla: 0.15 }

for (const { name, make, missing } of KERNEL_SETS) {
  describe.skipIf(missing)(`rows of every type on ${name} kernels`, () => {
    let kernels: Kernels
    beforeAll(async () => {
      kernels = await make({ threads: 1 })
    })
    afterAll(() => kernels.dispose())

    const logitsOf = async (model: Model, path: 'expanded' | 'absorbed') => {
      const cache = model.sequence()
      const tokens = Array.from({ length: 40 }, (_, i) => (i * 7) % model.config.vocabSize)
      const logits = await model.forward([{ tokens, cache, prompt: { start: 0, end: 40 }, logits: 'all', path }])
      const numbers = Float32Array.from((await kernels.memory.read(logits)) as Float32Array)
      cache.dispose()
      return numbers
    }
    const rms = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length)

    it('compute the same but for rounding, on both paths', async () => {
      const config = randomLatentConfig(new Rng(11))
      const results = new Map<string, Float32Array>()
      for (const cacheType of ['f32', 'f16', 'bf16', 'int8', 'fp8_ds_mla'] as const) {
        const model = await randomModel(kernels, config, 1, { cacheType })
        for (const path of ['expanded', 'absorbed'] as const) {
          const logits = await logitsOf(model, path)
          results.set(cacheType, logits)
          const exact = results.get('f32') as Float32Array
          const error = rms(logits.map((x, i) => x - (exact[i] as number))) / rms(exact)
          expect(error, `${cacheType} ${path}`).toBeLessThan(ALLOWED[cacheType])
          if (cacheType !== 'f32') expect(error).toBeGreaterThan(0)
        }
        model.dispose()
      }
    })

    it('differ for keys and values of heads, without scales', async () => {
      const config = randomGroupedConfig(new Rng(12))
      const model = await randomModel(kernels, config, 1, { cacheType: 'f32/bf16' })
      expect(model.layout.layers[0]?.segments.map(s => s.dtype)).toEqual(['f32', 'bf16'])
      model.dispose()
      for (const cacheType of CACHE_TYPE_NAMES.filter(n => n.includes('int8') || n.includes('fp8'))) {
        await expect(randomModel(kernels, config, 1, { cacheType })).rejects.toThrow(/is made for latents/)
      }
    })
  })
}
