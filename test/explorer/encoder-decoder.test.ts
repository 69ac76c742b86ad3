/** An encoder-decoder in the page: what it writes, looking at the source, as the engine has it. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { Engine, type NextTokens, type Reading } from '../../src/index.ts'
import { isTooWide, it, LOOKS, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const T5 = 'test/fixtures/families/t5'
const FILES = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
const TEXT = 'The fox said to the hen'
const OTHER = 'The old king had a son'

let engine: Engine
let reading: Reading
let other: Reading
beforeAll(async () => {
  if (NO_CHROMIUM) return
  engine = await Engine.load(T5, { kernels: 'wasm', inline: true })
  const read = async (text: string) => {
    const { tokenIds: target } = await engine.generate(text, { temperature: 0, maxTokens: 64 })
    return engine.inspect(text, { target })
  }
  reading = await read(TEXT)
  other = await read(OTHER)
}, 60_000)
afterAll(() => engine?.dispose())

/** The page with the model; `go` leads to a view by its address. */
async function withModel(page: Page) {
  await page
    .locator('.model-bar input[type=file]')
    .first()
    .setInputFiles(FILES.map(file => `${T5}/${file}`))
  await page.locator('.model-bar').getByText('of cache per').first().waitFor({ timeout: 60_000 })
  return async (view: string, params: Readonly<Record<string, string>>) => {
    const changed = JSON.stringify({ text: TEXT, ...params })
    await page.evaluate(`{
      const kept = new URLSearchParams(location.hash.split('?')[1]).get('open')
      location.hash = '#/${view}?' + new URLSearchParams({ open: kept, ...${changed} })
    }`)
  }
}

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
    const go = await withModel(page)
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

  it('shows what comes after the token that the address names', { timeout: 120_000 }, async ({ open }) => {
    const page = await open(`#/next?${new URLSearchParams({ text: TEXT, after: '2' })}`)
    const go = await withModel(page)
    const shown = page.getByRole('img', { name: /^Probability of each token: / })
    const choice = page.getByLabel('After which token it has written')
    const isAfter = async (row: number) => {
      const { top } = await reading.next({ row, top: 1 })
      await expect.poll(() => shown.getAttribute('aria-label')).toContain(`${top[0]?.probability.toFixed(4)}`)
      expect(await choice.inputValue()).toBe(String(row))
      const lens: NextTokens[] = []
      for await (const one of reading.lens({ row, top: 1 })) lens.push(one)
      const cells = page.locator('.lens tbody tr td:nth-child(2) .hint')
      await expect.poll(() => cells.allTextContents()).toEqual(lens.map(({ top }) => top[0]?.probability.toFixed(3)))
    }
    await isAfter(2)
    await choice.selectOption('1')
    await page.waitForURL(/[?&]after=1(?:&|$)/)
    await isAfter(1)
    // None named: the first token, which is no text. One that is not there: the last.
    await go('next', {})
    await isAfter(0)
    await go('next', { after: '999' })
    await isAfter(reading.tokens.length - 1)
  })

  it('shows two sources side by side, as each text looks at its own, and at itself', { timeout: 120_000 }, async ({
    open,
  }) => {
    const page = await open(`#/patterns?${new URLSearchParams({ text: TEXT, text2: OTHER })}`)
    const go = await withModel(page)
    const head = { layer: '1', head: '2' }
    const showEach = async (cross: boolean) => {
      for (const [side, one] of [
        [1, reading],
        [2, other],
      ] as const) {
        const row = await patternOf(one, cross, one.tokens.length - 1)
        const words = page.locator(`[data-side="${side}"] .word`)
        await expect
          .poll(() => words.evaluateAll(all => all.map(word => word.getAttribute('title'))))
          .toEqual([...row].map(p => p.toFixed(3)))
      }
    }
    await go('patterns', { text2: OTHER, beside: 'text', of: 'cross', ...head })
    await showEach(true)
    await go('patterns', { text2: OTHER, beside: 'text', of: 'text', ...head })
    await showEach(false)
    expect(await seriousFindings(page)).toEqual([])
  })
})
