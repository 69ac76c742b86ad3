/** Tests of the explorer in a real Chromium, as `latentkit explore` serves it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Listening, serveExplorer } from '../../apps/cli/explore/server.ts'
import { CHROMIUM, openBrowser } from '../page/chromium.ts'

export const NO_CHROMIUM = CHROMIUM === undefined
export const WHY_SKIPPED = NO_CHROMIUM ? ' (there is no Chromium here)' : ''

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

let browser: Browser
let server: Listening
beforeAll(async () => {
  if (NO_CHROMIUM) return
  server = await serveExplorer({ host: 'localhost', port: 0 })
  browser = await openBrowser()
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.close()
})

interface Given {
  /** A page at an address such as `#/planner`. */
  readonly open: (hash: string, options?: BrowserContextOptions) => Promise<Page>
}

export const it = test.extend<Given>({
  open: async ({ task: _ }, use) => {
    const requested: string[] = []
    const complaints: string[] = []
    const contexts: BrowserContext[] = []
    await use(async (hash, options = {}) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
      contexts.push(context)
      context.setDefaultTimeout(60_000)
      const page = await context.newPage()
      page.on('request', request => requested.push(request.url()))
      page.on('pageerror', error => complaints.push(error.message))
      page.on('console', message => message.type() === 'error' && complaints.push(message.text()))
      await page.goto(`${server.url}${hash}`)
      await page.locator('main h1').waitFor()
      return page
    })
    for (const context of contexts) await context.close()
    // Whatever a test does, no other host is asked, and nothing is sent.
    expect(requested.filter(url => !url.startsWith(server.url) && !url.startsWith('blob:'))).toEqual([])
    expect(complaints).toEqual([])
  },
})

/** Serious findings of axe, each as its rule and the elements. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Past the page's policy, which allows no other scripts.
  await page.evaluate(readFileSync(AXE, 'utf8'))
  const found = (await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => id + ': ' + nodes.map(node => node.target.join(' ')).join(', ')))`,
  )) as string[]
  return found
}

/** Whether the page is wider than its window. */
export async function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')
}

/** A folder for pictures; undefined: none are wanted. */
export const SCREENSHOTS = process.env.LATENTKIT_SCREENSHOTS

/** Saves what is seen, where pictures are wanted, to be looked at. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true })
}

/** Widths of a phone, a tablet and a desk, in both themes; two of these six unless all are asked for. */
const ALL_LOOKS = [390, 820, 1280].flatMap(width =>
  (['light', 'dark'] as const).map(colorScheme => ({ width, colorScheme })),
)
export const ALL_WANTED = Boolean(SCREENSHOTS || process.env.LATENTKIT_EXPLORER)
export const LOOKS = ALL_WANTED ? ALL_LOOKS : [ALL_LOOKS[1]!, ALL_LOOKS[4]!]
