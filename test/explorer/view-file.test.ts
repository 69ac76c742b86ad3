/** A view that is saved is one file: its pictures, its numbers and its text, without a script and without a request. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { csv } from '../../apps/explorer/drawing/csv.ts'
import { BUNDLED_NAME, shownIn } from '../../apps/explorer/view/presets.ts'
import { bundledModel, Engine } from '../../src/index.ts'
import { openBrowser } from '../page/chromium.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { ALL_WANTED, isTooWide, it, LOOKS, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const FLAG = 'The American flag is red white and'
const DEADLINE = 90_000

const VIEWS = [
  ['patterns', '#all-heads[aria-busy=false]'],
  ['number?layer=4&head=2&query=11&key=10', '#difference'],
  ['cache?steps=8', '#written[aria-busy=false]'],
  ['planner', '#factor'],
  ['tokens', '.token'],
  ['latent?rank=4', '#written-rank[aria-busy=false]'],
  ['next', '.lens td'],
] as const

describe('numbers as CSV', () => {
  it('quote what needs it', () => {
    expect(
      csv({
        columns: ['a', 'b,c'],
        rows: [
          ['x "y"', 0.1],
          ['\n', -1],
        ],
      }),
    ).toBe('a,"b,c"\n"x ""y""",0.1\n"\n",-1')
  })
})

describe.skipIf(NO_CHROMIUM)(`a view as a file${WHY_SKIPPED}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  }, 60_000)
  afterAll(() => browser?.close())

  it('takes a text for a text, whatever it says', { timeout: DEADLINE }, async ({ open }) => {
    const text = '</title></pre></style><script>alert(1)</script><img src=x onerror=alert(1)>'
    const page = await open(`#/tokens?${new URLSearchParams({ text })}`)
    await page.locator('.token').first().waitFor()
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save this view as one HTML file' }).click()
    const file = path.join(tempFolder(), 'tokens.html')
    await (await download).saveAs(file)
    const context = await browser.newContext({ offline: true, bypassCSP: true })
    const saved = await context.newPage()
    const faults: string[] = []
    saved.on('dialog', dialog => dialog.dismiss().then(() => faults.push('a dialog')))
    await saved.goto(pathToFileURL(file).href)
    expect(await saved.locator('main').textContent()).toContain(text)
    expect(await saved.locator('script, img:not([src^="data:"])').count()).toBe(0)
    expect(faults).toEqual([])
    await context.close()
  })

  for (const [hash, ready] of ALL_WANTED ? VIEWS : VIEWS.slice(0, 1)) {
    it(`has all that ${hash} shows`, { timeout: DEADLINE }, async ({ open }) => {
      for (const { width, colorScheme } of LOOKS.slice(-1)) {
        const page = await open(`#/${hash}`, { viewport: { width, height: 900 }, colorScheme, acceptDownloads: true })
        await page.locator(ready).first().waitFor()
        if (hash === 'patterns') await page.locator('#closely').waitFor()
        const shown = await page.locator('main h1').textContent()
        const download = page.waitForEvent('download')
        await page.getByRole('button', { name: 'Save this view as one HTML file' }).click()
        const name = (await download).suggestedFilename()
        expect(name).toBe(`latentkit-${hash.split('?')[0]}.html`)
        const file = path.join(tempFolder(), name)
        await (await download).saveAs(file)
        expect(readFileSync(file, 'utf8')).not.toMatch(/<script|<link|<button|<input/)

        const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, offline: true })
        const saved = await context.newPage()
        const faults: string[] = []
        saved.on('request', request => request.url().startsWith('data:') || faults.push(request.url()))
        saved.on('console', message => faults.push(message.text()))
        await saved.goto(pathToFileURL(file).href)
        expect(faults).toEqual([pathToFileURL(file).href])
        expect(await saved.locator('h1').textContent()).toBe(shown)
        const pictures = await saved
          .locator('img')
          .evaluateAll(all => all.map(one => (one as unknown as { naturalWidth: number }).naturalWidth))
        expect(Math.min(...pictures, 1)).toBeGreaterThan(0)
        if (hash === 'patterns') {
          await using engine = await Engine.load(bundledModel(), { kernels: 'wasm', inline: true })
          await using reading = await engine.inspect(FLAG)
          const tables = await saved.locator('pre').allTextContents()
          expect(pictures.length).toBeGreaterThanOrEqual(2)
          const { layer, head } = shownIn(FLAG, BUNDLED_NAME)!.at
          for await (const { probabilities, keys } of reading.attention({ layers: [layer], heads: [head] })) {
            const wide = tables
              .map(one => one.split('\n'))
              .find(rows => rows.length === keys + 1 && rows[1]?.split(',').length === keys + 1)
            const found = wide?.slice(1).flatMap(row => row.split(',').slice(1).map(Number)) ?? []
            // A browser may have other instructions than this Node.
            expect(found.length).toBe(keys * keys)
            for (const [i, p] of (probabilities ?? []).entries()) expect(found[i]).toBeCloseTo(p, 5)
          }
        }
        await shoot(saved, `saved-${hash.split('?')[0]}-${width}-${colorScheme}`)
        expect(await isTooWide(saved)).toBe(false)
        // Its own policy lets no script in.
        const unbound = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true })
        const checked = await unbound.newPage()
        await checked.goto(pathToFileURL(file).href)
        expect(await seriousFindings(checked)).toEqual([])
        await context.close()
        await unbound.close()
      }
    })
  }
})
