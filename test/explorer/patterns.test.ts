/** The patterns on the page are the engine's, whatever head, query and order. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { BUNDLED_NAME, shownIn } from '../../apps/explorer/view/presets.ts'
import { bundledModel, Engine } from '../../src/index.ts'
import { isTooWide, it, LOOKS, NO_CHROMIUM, SCREENSHOTS, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const FLAG = 'The American flag is red white and'
const DEADLINE = 90_000

/** Node's engine with the page's kernels: the bits are those of the page. */
let engine: Engine
beforeAll(async () => {
  if (!NO_CHROMIUM) engine = await Engine.load(bundledModel(), { kernels: 'wasm', inline: true })
}, 60_000)
afterAll(() => engine?.dispose())

describe.skipIf(NO_CHROMIUM)(`patterns${WHY_SKIPPED}`, () => {
  it('shows all heads, and the numbers of one as the engine has them', { timeout: DEADLINE }, async ({ open }) => {
    await using reading = await engine.inspect(FLAG)
    const page = await open('#/patterns')
    await page.locator('#all-heads[aria-busy=false]').waitFor()
    expect(await page.getByRole('heading', { name: '64 patterns' }).textContent()).toBe(
      '64 patterns: 8 layers of 8 heads',
    )
    const { layer, head } = shownIn(FLAG, BUNDLED_NAME)!.at
    const where = { layers: [layer], heads: [head] }
    expect(await page.locator('#closely').textContent()).toBe(`Layer ${layer}, head ${head}`)
    const last = reading.tokens.length - 1
    for await (const { probabilities } of reading.attention({ ...where, rows: [last, last + 1] })) {
      const shares = await page.locator('.word').evaluateAll(words => words.map(word => word.getAttribute('title')))
      expect(shares).toEqual([...(probabilities ?? [])].map(p => p.toFixed(3)))
      const most = Math.max(...(probabilities ?? []))
      expect(await page.locator('#share').textContent()).toBe(most.toFixed(3))
    }
    // By keyboard: the query one up, then what it looks at.
    await page.locator('.matrix').focus()
    await page.keyboard.press('ArrowUp')
    await expect.poll(() => page.url()).toContain(`query=${last - 1}`)
    for await (const { probabilities } of reading.attention({ ...where, rows: [last - 1, last] })) {
      expect(await page.locator('.word').nth(3).getAttribute('title')).toBe(probabilities?.[3]?.toFixed(3))
    }
  })

  it('keeps the chosen pair in the address, and leads to its number', { timeout: DEADLINE }, async ({ open }) => {
    await using reading = await engine.inspect(FLAG)
    const cell = await reading.cell({ layer: 1, head: 2, query: 9, key: 3 })
    const page = await open('#/patterns?layer=1&head=2&query=9&key=4')
    await page.locator('.matrix').press('ArrowLeft')
    await page.waitForURL(/[?&]key=3(?:&|$)/)
    await page.reload()
    await expect.poll(() => page.locator('#share').textContent()).toBe(cell.probability.toFixed(3))
    await page.getByRole('link', { name: 'How that number comes about' }).click()
    await expect.poll(() => page.locator('#share').textContent()).toBe(cell.probability.toFixed(4))
  })

  it('sorts heads by what they do, as measured', { timeout: DEADLINE }, async ({ open }) => {
    await using reading = await engine.inspect('The cat sat on the mat. The cat')
    const measured: { readonly name: string; readonly value: number }[] = []
    for await (const { layer, head, measures } of reading.attention({ measures: true })) {
      measured.push({ name: `Layer ${layer}, head ${head}`, value: measures?.induction ?? 0 })
    }
    const order = measured.sort((a, b) => b.value - a.value)
    const page = await open('#/patterns?text=The+cat+sat+on+the+mat.+The+cat&sort=induction')
    await page.locator('#all-heads[aria-busy=false]').waitFor()
    expect(await page.locator('#closely').textContent()).toBe(order[0]?.name)
    await page.getByRole('listbox').press('ArrowRight')
    await page.getByRole('heading', { name: order[1]?.name ?? '' }).waitFor()
    expect(await page.locator('#chosen-head').textContent()).toContain(`induction ${order[1]?.value.toFixed(2)}`)
  })

  it.skipIf(!SCREENSHOTS)('is the picture of the README', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open('#/patterns', { viewport: { width: 1280, height: 860 }, colorScheme: 'light' })
    await page.locator('#all-heads[aria-busy=false]').waitFor()
    await page.locator('#closely').waitFor()
    // With a little room above.
    await page.evaluate(`scrollTo(0, scrollY + document.querySelector('.closely').getBoundingClientRect().top - 24)`)
    await page.screenshot({ path: `${SCREENSHOTS}/explorer.png` })
  })

  it('holds at every width and in both themes, without serious findings of axe', { timeout: 180_000 }, async ({
    open,
  }) => {
    for (const { width, colorScheme } of LOOKS) {
      const page = await open('#/patterns', { viewport: { width, height: 900 }, colorScheme })
      await page.locator('#all-heads[aria-busy=false]').waitFor()
      await page.locator('#closely').waitFor()
      await shoot(page, `patterns-${width}-${colorScheme}`)
      expect(await isTooWide(page)).toBe(false)
      expect(await seriousFindings(page)).toEqual([])
      await page.context().close()
    }
  })
})
