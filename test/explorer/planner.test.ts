/** The planner's numbers are those of `plan`; its address restores it. */
import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { bytes } from '../../apps/explorer/drawing/format.ts'
import { bundledModel } from '../../src/index.ts'
import { machineNamed, plan, planModelFromJson, publishedModel, smallestRanks } from '../../src/planning/index.ts'
import { isTooWide, it, LOOKS, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const DEADLINE = 60_000

describe.skipIf(NO_CHROMIUM)(`the planner${WHY_SKIPPED}`, () => {
  it('shows what the articles tell: 57 times less, 400 GB that become 7', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open('#/planner')
    const p = plan(publishedModel('R1'), { context: 100_000, compare: ['mha'] })
    expect(p.compare[0]?.ratio).toBeCloseTo(56.89, 2)
    expect(await page.locator('#factor').textContent()).toBe('56.9×')
    expect(p.compare[0]?.bytes).toBe(399_769_600_000)
    expect(await page.locator('#mha-bytes').textContent()).toBe('400 GB')
    expect(p.cache.bytes).toBe(7_027_200_000)
    expect(await page.locator('#own-bytes').textContent()).toBe('7.03 GB')
    const h100 = smallestRanks(publishedModel('R1'), { context: 100_000, machine: machineNamed('h100') })
    expect(await page.locator('[data-card=h100] td').nth(1).textContent()).toBe(String(h100?.total))
  })

  it('restores itself from its address and writes into it', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open('#/planner?model=Llama-3-70B&context=131072&batch=4&type=q8_0')
    // The list has the name as published.
    const p = plan(publishedModel('Llama-3-70B'), { context: 131_072, batch: 4, cacheType: 'q8_0' })
    expect(await page.locator('#own-bytes').textContent()).toBe(`${(p.cache.bytes / 1e9).toPrecision(3)} GB`)
    await page.getByLabel('Batch', { exact: true }).press('Home')
    await expect.poll(() => page.url()).toMatch(/batch=1(?:&|$)/)
    const one = plan(publishedModel('Llama-3-70B'), { context: 131_072, cacheType: 'q8_0' })
    expect(await page.locator('#own-bytes').textContent()).toBe(`${(one.cache.bytes / 1e9).toPrecision(3)} GB`)
  })

  it('plans a config.json of the user, and says what is wrong with one', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open('#/planner?config={}')
    await page.getByLabel(/^config.json/).fill('{ "model_type": ')
    expect(await page.getByRole('alert').textContent()).toContain('not JSON')
    const config = {
      model_type: 'llama',
      num_hidden_layers: 32,
      hidden_size: 4096,
      num_attention_heads: 32,
      vocab_size: 32000,
      intermediate_size: 11008,
    }
    await page.getByLabel(/^config.json/).fill(JSON.stringify(config))
    await page.getByLabel('Context, exactly').fill('8192')
    await page.getByLabel('Context, exactly').press('Enter')
    // 32 layers, 32 heads of 128, 8,192 tokens: an article has 134 MB, which is one layer's share.
    expect(await page.locator('#own-bytes').textContent()).toBe('4.29 GB')
  })

  it('holds at every width and in both themes, without serious findings of axe', { timeout: 120_000 }, async ({
    open,
  }) => {
    for (const { width, colorScheme } of LOOKS) {
      const page = await open('#/planner', { viewport: { width, height: 900 }, colorScheme })
      await page.locator('[data-card=h100]').waitFor()
      await shoot(page, `planner-${width}-${colorScheme}`)
      expect(await isTooWide(page)).toBe(false)
      expect(await seriousFindings(page)).toEqual([])
      await page.context().close()
    }
  })

  it('plans the model that is open, and a config.json that is dropped', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open('#/planner?model=loaded&context=1000&type=f16')
    const config = JSON.parse(readFileSync(`${bundledModel()}/config.json`, 'utf8')) as unknown
    const expected = plan(planModelFromJson(config), { context: 1000, cacheType: 'f16', compare: ['mha'] })
    await page.locator('#own-bytes').waitFor()
    expect(await page.locator('#own-bytes').textContent()).toBe(bytes(expected.cache.bytes))
    expect(await page.locator('#mha-bytes').textContent()).toBe(bytes(expected.compare[0]?.bytes ?? 0))
    const gpt2 = readFileSync('test/fixtures/checkpoints/gpt2/config.json', 'utf8')
    await page.evaluate(`{
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([${JSON.stringify(gpt2)}], 'config.json'))
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
    }`)
    const dropped = plan(planModelFromJson(JSON.parse(gpt2)), { context: 1000, cacheType: 'f16' })
    await expect.poll(() => page.locator('#own-bytes').textContent()).toBe(bytes(dropped.cache.bytes))
  })
})
