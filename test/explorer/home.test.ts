/** The first page: it names every view, leads to the tour, and holds at every width. */
import { describe, expect } from 'vitest'
import { isTooWide, it, LOOKS, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

describe.skipIf(NO_CHROMIUM)(`the first page${WHY_SKIPPED}`, () => {
  it('holds at every width and in both themes, without serious findings of axe', { timeout: 120_000 }, async ({
    open,
  }) => {
    for (const { width, colorScheme } of LOOKS) {
      const page = await open('', { viewport: { width, height: 900 }, colorScheme })
      const named = await page.getByRole('navigation', { name: 'Views' }).getByRole('link').allTextContents()
      expect(await page.locator('.tiles h2').allTextContents()).toEqual(named)
      await shoot(page, `home-${width}-${colorScheme}`)
      expect(await isTooWide(page)).toBe(false)
      expect(await seriousFindings(page)).toEqual([])
      await page.context().close()
    }
  })

  it('leads by keyboard to the view, past the list, and from a tile to its view', { timeout: 60_000 }, async ({
    open,
  }) => {
    const page = await open('')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await page.evaluate('document.activeElement.id')).toBe('main')
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('Take the guided tour')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'What is a token?' }).waitFor()
    // The reader continues at the new view.
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main')
  })
})
