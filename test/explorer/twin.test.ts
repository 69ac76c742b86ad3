/** A model and its latentified twin, both in Node, side by side: what is shown of each is its engine's. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { NumbersService } from '../../apps/cli/explore/numbers-service.ts'
import { serveExplorer } from '../../apps/cli/explore/server.ts'
import { bytes } from '../../apps/explorer/drawing/format.ts'
import { numbersOf } from '../../apps/explorer/numbers/of-engine.ts'
import { Engine, type Reading } from '../../src/index.ts'
import { latentifyModel } from '../../src/latentify/latentify.ts'
import { openBrowser } from '../page/chromium.ts'
import { isTooWide, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const ORIGINAL = 'test/fixtures/gguf/llama-gqa-q4_1.gguf'
const TEXT = 'The American flag is red white and'
const PLACE = { layer: 1, head: 2 }
const DEADLINE = 90_000

describe.skipIf(NO_CHROMIUM)(`an original beside its twin${WHY_SKIPPED}`, () => {
  const engines: Engine[] = []
  let page: Page
  let url: string
  const ended: (() => unknown)[] = []
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'latentkit-twin-'))
    ended.push(() => rmSync(folder, { recursive: true }))
    const twin = join(folder, 'twin')
    await latentifyModel(ORIGINAL, twin, { cacheRatio: 0.5, calibrate: 'README.md', calibrationTokens: 512 })
    for (const model of [ORIGINAL, twin]) engines.push(await Engine.load(model, { inline: true }))
    const [numbers, beside] = engines.map(engine => ({
      name: engine.info.name,
      service: new NumbersService(numbersOf(engine, 'node')),
    }))
    const server = await serveExplorer({ host: 'localhost', port: 0, numbers, beside })
    const browser = await openBrowser()
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    page.setDefaultTimeout(60_000)
    url = server.url
    ended.push(() => browser.close(), ...[numbers, beside].map(one => () => one?.service.close()), server.close)
  }, DEADLINE)
  afterAll(async () => {
    for (const end of ended) await end()
  })

  /** A view of both, which complains of nothing. */
  async function beside(view: string, params: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const given = new URLSearchParams({ text: TEXT, beside: 'model' })
    for (const [name, value] of Object.entries(params)) given.set(name, String(value))
    const faults: string[] = []
    const complain = (error: Error) => void faults.push(error.message)
    page.on('pageerror', complain)
    onTestFinished(() => {
      page.off('pageerror', complain)
      expect(faults).toEqual([])
    })
    // Anew, so that nothing of another view is left.
    await page.goto('about:blank')
    await page.goto(`${url}#/${view}?${given}`)
  }

  const side = (i: number) => page.locator(`[data-side="${i + 1}"]`)

  it('shows the pattern of a head in both, and how far it looks elsewhere', { timeout: DEADLINE }, async () => {
    await beside('patterns', PLACE)
    const patterns: Float32Array[] = []
    for (const [i, engine] of engines.entries()) {
      await using reading = await engine.inspect(TEXT)
      const pattern = await patternOf(reading)
      patterns.push(pattern)
      const count = reading.tokens.length
      await side(i).locator('.word').first().waitFor()
      expect(
        await side(i)
          .locator('.word')
          .evaluateAll(all => all.map(word => word.getAttribute('title'))),
      ).toEqual([...pattern.subarray((count - 1) * count)].map(p => p.toFixed(3)))
    }
    const [a, b] = patterns as [Float32Array, Float32Array]
    const apart = a.reduce((sum, p, i) => sum + Math.abs(p - (b[i] ?? 0)), 0) / 2 / Math.sqrt(a.length)
    expect(apart).toBeGreaterThan(0.001)
    await expect.poll(() => page.locator('#moved').textContent()).toBe(apart.toFixed(4))
    await page.getByRole('button', { name: engines[1]?.info.name ?? '', exact: true, pressed: true }).waitFor()
    expect(await isTooWide(page)).toBe(false)
    expect(await seriousFindings(page)).toEqual([])
    await shoot(page, 'twin-patterns')
  })

  it('lets both write, and counts the half of the bytes', { timeout: DEADLINE }, async () => {
    await beside('cache', { steps: 4 })
    const used: number[] = []
    for (const [i, engine] of engines.entries()) {
      const { text } = await engine.generate(TEXT, { temperature: 0, maxTokens: 3 })
      const written = page.locator(`#written${i === 0 ? '' : '2'}[aria-busy=false]`)
      await written.waitFor()
      expect(await written.textContent()).toContain(TEXT + text)
      await using reading = await engine.inspect(TEXT)
      used.push((reading.tokens.length + 3) * engine.info.cacheBytesPerToken)
      expect(await page.locator(i === 0 ? '#used' : '#used2').textContent()).toBe(bytes(used[i] ?? 0))
    }
    expect((used[1] ?? 0) / (used[0] ?? 1)).toBe(0.5)
  })

  it('says what of the next token goes to others, and what each keeps', { timeout: DEADLINE }, async () => {
    await beside('next')
    const shares: Float64Array[] = []
    for (const [i, engine] of engines.entries()) {
      await using reading = await engine.inspect(TEXT)
      const { top, logits } = await reading.next({ top: 1, logits: true })
      shares.push(softmax(logits as Float32Array))
      const bars = side(i).getByRole('img', { name: /^Probability of each token: / })
      expect(await bars.getAttribute('aria-label')).toContain(top[0]?.probability.toFixed(4))
    }
    const [a, b] = shares as [Float64Array, Float64Array]
    const moved = a.reduce((sum, p, i) => sum + Math.abs(p - (b[i] ?? 0)), 0) / 2
    await expect.poll(() => page.locator('#moved').textContent()).toBe(moved.toFixed(4))
    await beside('latent')
    await side(0).getByText('This model has no latents').waitFor()
    await side(1).getByText('This model caches a latent of').waitFor()
  })
})

/** The whole pattern of the head that is shown. */
async function patternOf(reading: Reading): Promise<Float32Array> {
  const { layer, head } = PLACE
  for await (const { probabilities } of reading.attention({ layers: [layer], heads: [head] }))
    if (probabilities) return probabilities
  throw new Error('no pattern came')
}

function softmax(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b))
  const weights = Float64Array.from(logits, logit => Math.exp(logit - most))
  const total = weights.reduce((a, b) => a + b)
  return weights.map(weight => weight / total)
}
