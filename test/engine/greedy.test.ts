import { describe, expect, it } from 'vitest'
import type { KernelChoice } from '../../src/index.ts'
import { expectedTexts, FAST_KERNELS, loadTales } from './tales.ts'

const TEXTS = expectedTexts()

describe.each(FAST_KERNELS)('the bundled model on $name kernels', ({ name, missing }) => {
  it.skipIf(missing)('writes the expected text, token by token', async () => {
    const engine = await loadTales({ kernels: name as KernelChoice, cacheType: 'f32' })
    expect(engine.info).toMatchObject({ name: 'tales-mla-8m', kernels: { name, threads: 1 }, fallbackReason: null })
    for (const { text, greedy, greedyText } of TEXTS) {
      const session = engine.session()
      const { tokenIds, ...result } = await session.prompt(text, { maxTokens: 128, temperature: 0, ignoreEos: true })
      expect(tokenIds).toEqual(greedy)
      expect(result).toMatchObject({ text: greedyText, finishReason: 'length', usage: { completionTokens: 128 } })
      await session.dispose()
    }
    await engine.dispose()
  })

  it.skipIf(missing)('writes the same by any number of threads, with and without chance', async () => {
    const texts: string[] = []
    for (const threads of [1, 2]) {
      const engine = await loadTales({ kernels: name as KernelChoice, threads })
      const drawn = await engine.generate('The king', { maxTokens: 40, seed: 7, temperature: 1, topP: 0.9 })
      texts.push(drawn.text)
      await engine.dispose()
    }
    expect(texts[0]).toBe(texts[1])
  })
})
