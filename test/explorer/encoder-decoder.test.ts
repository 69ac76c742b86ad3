/** An encoder-decoder in the page: what it writes, looking at the source, as the engine has it. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { Engine, type Reading } from '../../src/index.ts'
import { isTooWide, it, LOOKS, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const T5 = 'test/fixtures/families/t5'
const FILES = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
const TEXT = 'The fox said to the hen'

let engine: Engine
let reading: Reading
beforeAll(async () => {
  if (NO_CHROMIUM) return
  engine = await Engine.load(T5, { kernels: 'wasm', inline: true })
  const { tokenIds: target } = await engine.generate(TEXT, { temperature: 0, maxTokens: 64 })
  reading = await engine.inspect(TEXT, { target })
}, 60_000)
afterAll(() => engine?.dispose())

async function patternOf(of: Reading, cross: boolean, row: number): Promise<Float32Array> {
  for await (const { probabilities } of of.attention({ cross, layers: [1], heads: [2], rows: [row, row + 1] }))
    if (probabilities) return probabilities
  throw new Error('no pattern')
}

describe.skipIf(NO_CHROMIUM)(`an encoder-decoder${WHY_SKIPPED}`, () => {
  it('shows patterns of all three attentions, one number across, and the next token', { timeout: 120_000 }, async ({
    open,
  }) => {
    const page = await open(`#/patterns?${new URLSearchParams({ text: TEXT })}`)
    await page.locator('.model-bar input[type=file]').setInputFiles(FILES.map(file => `${T5}/${file}`))
    await page.locator('.model-bar').getByText('of cache per').waitFor({ timeout: 60_000 })
    const go = async (view: string, params: Readonly<Record<string, string>>) => {
      const changed = JSON.stringify({ text: TEXT, ...params })
      await page.evaluate(`{
        const kept = new URLSearchParams(location.hash.split('?')[1]).get('open')
        location.hash = '#/${view}?' + new URLSearchParams({ open: kept, ...${changed} })
      }`)
    }
    const source = reading.source as Reading
    for (const [of, cross, one] of [
      ['cross', true, reading],
      ['text', false, reading],
      ['source', false, source],
    ] as const) {
      await go('patterns', { of, layer: '1', head: '2', query: '3' })
      const row = await patternOf(one, cross, 3)
      await expect.poll(() => page.locator('#share').textContent()).toBe(Math.max(...row).toFixed(3))
      expect(await page.locator('.words .word').count()).toBe(cross ? source.tokens.length : one.tokens.length)
    }
    const cell = await reading.cell({ layer: 1, head: 2, query: 3, key: 4, cross: true })
    await go('number', { of: 'cross', layer: '1', head: '2', query: '3', key: '4' })
    await expect.poll(() => page.locator('#share').textContent()).toBe(cell.probability.toFixed(4))
    const first = await reading.next({ row: 0, top: 1 })
    await go('next', {})
    await page.locator('.lens td').first().waitFor()
    const shown = page.getByRole('img', { name: /^Probability of each token: / })
    expect(await shown.getAttribute('aria-label')).toContain(first.top[0]?.probability.toFixed(4))
    await go('patterns', {})
    for (const { width, colorScheme } of LOOKS) {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme })
      await page.locator('#closely').waitFor()
      await shoot(page, `encoder-decoder-${width}-${colorScheme}`)
      expect(await isTooWide(page)).toBe(false)
      expect(await seriousFindings(page)).toEqual([])
    }
  })
})
