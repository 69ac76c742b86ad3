/** `latentkit/browser` in a real Chromium: from a plain module script, under a strict content security policy. */
import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { expectedTexts, TALES } from '../engine/tales.ts'
import { NO_CHROMIUM, openPage, serve, useChromium, WHY_SKIPPED } from './in-chromium.ts'

/** What pages of these tests know. */
declare const latentkit: typeof import('../../src/browser.ts')

useChromium()

describe.skipIf(NO_CHROMIUM)(`the engine in a page${WHY_SKIPPED}`, { timeout: 120_000 }, () => {
  it.each([
    { isolated: true, threads: 2 },
    { isolated: false, threads: 1 },
  ])('writes the expected texts, isolated: $isolated', async ({ isolated, threads }) => {
    const page = await openPage(await serve({ isolated }))
    const texts = expectedTexts().map(({ text }) => text)
    const written = await page.evaluate(async texts => {
      const { Engine } = latentkit
      const threads = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated ? { threads: 2 } : {}
      const engine = await Engine.load('/model/', { cacheType: 'f32', ...threads })
      const drawn = { maxTokens: 48, temperature: 0, ignoreEos: true }
      const all = await Promise.all(texts.map(text => engine.generate(text, drawn)))
      const { info } = engine
      await engine.dispose()
      return { info, texts: all.map(({ text }) => text) }
    }, texts)
    expect(written.info.kernels).toEqual({
      name: 'wasm',
      isa: expect.stringMatching(/^(simd128|relaxed-simd)$/),
      threads,
    })
    expect(written.info.fallbackReason).toBe(
      isolated ? null : 'one thread: the page is not cross-origin isolated (docs/browser.md)',
    )
    expectedTexts().forEach(({ greedyText }, i) => {
      expect(greedyText.startsWith(written.texts[i] ?? '')).toBe(true)
      expect(written.texts[i]?.length).toBeGreaterThan(60)
    })
  })

  it('looks into a text with the bits of WebAssembly in Node', async () => {
    const page = await openPage(await serve({ isolated: true }))
    const text = 'The American flag is red white and'
    const seen = await page.evaluate(async text => {
      const engine = await latentkit.Engine.load('/model/', { threads: 1, isa: 'simd128' })
      const reading = await engine.inspect(text)
      const maps: number[][] = []
      for await (const { probabilities = new Float32Array() } of reading.attention({ layers: [0, -1] }))
        maps.push([...probabilities])
      const cell = await reading.cell({ layer: 3, head: 2, query: -1, key: 1 })
      const off = await engine.inspect(text, { changes: [{ kind: 'off', layer: 0, head: 0 }] })
      const next = await off.next({ top: 3 })
      await engine.dispose()
      return { maps, paths: cell.paths.map(({ path, worked, score }) => ({ path, worked, score })), next }
    }, text)
    const engine = await Engine.load(TALES, { inline: true, kernels: 'wasm', isa: 'simd128', threads: 1 })
    const reading = await engine.inspect(text)
    const maps: number[][] = []
    for await (const { probabilities = [] } of reading.attention({ layers: [0, -1] })) maps.push([...probabilities])
    expect(seen.maps).toEqual(maps)
    const cell = await reading.cell({ layer: 3, head: 2, query: -1, key: 1 })
    expect(seen.paths).toEqual(cell.paths.map(({ path, worked, score }) => ({ path, worked, score })))
    const off = await engine.inspect(text, { changes: [{ kind: 'off', layer: 0, head: 0 }] })
    expect(seen.next).toEqual(await off.next({ top: 3 }))
    await engine.dispose()
  })
})
