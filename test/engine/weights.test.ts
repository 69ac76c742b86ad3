import { describe, expect, it } from 'vitest'
import { type KernelChoice, OptionError } from '../../src/index.ts'
import { expectedTexts, FAST_KERNELS, loadTales } from './tales.ts'

const [FIRST] = expectedTexts()

describe('weights turned while loading', () => {
  for (const { name, missing } of FAST_KERNELS) {
    it.skipIf(missing !== null)(`${name}: as f32 the text is the same`, async () => {
      const engine = await loadTales({ kernels: name as KernelChoice, weights: 'f32', cacheType: 'f32' })
      const { tokenIds } = await engine.generate(FIRST!.text, { temperature: 0, maxTokens: 64, ignoreEos: true })
      expect(tokenIds).toEqual(FIRST!.greedy.slice(0, 64))
      await engine.dispose()
    })

    it.skipIf(missing !== null)(`${name}: as q8_0 they take half the bytes and tell nearly the same`, async () => {
      const plain = await loadTales({ kernels: name as KernelChoice })
      const engine = await loadTales({ kernels: name as KernelChoice, weights: 'q8_0', exact: true, cacheType: 'f32' })
      expect(engine.info.parameters).toBe(plain.info.parameters)
      expect(engine.info.weightBytes / plain.info.weightBytes).toBeCloseTo(34 / 64, 1)
      const { tokenIds } = await engine.generate(FIRST!.text, { temperature: 0, maxTokens: 8, ignoreEos: true })
      expect(tokenIds).toEqual(FIRST!.greedy.slice(0, 8))
      await Promise.all([plain.dispose(), engine.dispose()])
    })
  }

  it('a type that there is not is refused by name', async () => {
    const load = loadTales({ weights: 'q9_z' as 'q8_0' })
    await expect(load).rejects.toThrow(OptionError)
    await expect(load).rejects.toThrow('weights is "q9_z"; expected f32, f16, bf16, q8_0')
  })
})
