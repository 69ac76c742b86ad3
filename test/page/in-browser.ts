/** Tests of the page in a real Chromium, against a server whose answers each test writes. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CHROMIUM, openBrowser } from './chromium.ts'
import { StandIn } from './stand-in.ts'

interface Message {
  readonly role: string
  readonly content: string
}

interface Given {
  readonly server: StandIn
  /** The page in a browser of its own. */
  readonly open: (options?: BrowserContextOptions) => Promise<Page>
  /** Those of the last request for an answer. */
  readonly messages: () => readonly Message[]
}

let browser: Browser
beforeAll(async () => {
  if (CHROMIUM !== undefined) browser = await openBrowser()
})
afterAll(() => browser?.close())

export const it = test.extend<Given>({
  server: async ({ task: _ }, use) => {
    await using server = await StandIn.open()
    await use(server)
  },
  open: async ({ server }, use) => {
    const { url } = server
    /** Everything that pages of this test asked for, and what they complained about. */
    const requested: string[] = []
    const complaints: string[] = []
    await use(async (options = {}) => {
      const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options })
      context.setDefaultTimeout(60_000)
      const page = await context.newPage()
      page.on('request', request => requested.push(request.url()))
      page.on('pageerror', error => complaints.push(error.message))
      page.on('console', message => {
        const { type, text } = { type: message.type(), text: message.text() }
        if (type === 'error' && !text.startsWith('Failed to load resource')) complaints.push(text)
      })
      await page.goto(url)
      await page.locator('#composer').waitFor()
      return page
    })
    for (const context of browser.contexts()) await context.close()
    // Whatever a test does, no other host is asked.
    expect(requested.filter(other => !other.startsWith(url) && !other.startsWith('blob:'))).toEqual([])
    expect(complaints).toEqual([])
  },
  messages: async ({ server }, use) => {
    await use(() => server.lastBody.messages as readonly Message[])
  },
})

export async function say(page: Page, text: string): Promise<void> {
  await page.locator('#composer').fill(text)
  await page.keyboard.press('Enter')
}

export const answer = (page: Page) => page.locator('article.answer').last()
export const ended = (page: Page) => page.locator('article.answer[aria-busy=false] .numbers li.tokens').last().waitFor()
