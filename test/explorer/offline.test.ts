/** After the first visit the page works without a network, and without its server; what earlier builds left goes. */

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serveExplorer } from '../../apps/cli/explore/server.ts'
import { openBrowser } from '../page/chromium.ts'
import { NO_CHROMIUM, WHY_SKIPPED } from './in-browser.ts'

const DEADLINE = 90_000
const READY = '#all-heads[aria-busy=false]'

describe.skipIf(NO_CHROMIUM)(`without a network${WHY_SKIPPED}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  }, 60_000)
  afterAll(() => browser?.close())

  const patterns = async (page: Page) => {
    await page.locator(READY).waitFor()
    await page.locator('#share').waitFor()
    return page.locator('#share').textContent()
  }

  it('all views go on, when the network has gone and when the server has', { timeout: DEADLINE }, async () => {
    const server = await serveExplorer({ host: 'localhost', port: 0 })
    const context = await browser.newContext()
    context.setDefaultTimeout(60_000)
    const page = await context.newPage()
    await page.goto(`${server.url}#/patterns`)
    const share = await patterns(page)
    await context.setOffline(true)
    await page.reload()
    expect(await patterns(page)).toBe(share)
    await page.goto(`${server.url}#/planner`)
    await page.locator('#factor').waitFor()
    await context.setOffline(false)
    // Now the browser believes that there is a network.
    await server.close()
    await page.goto(`${server.url}#/next`)
    await page.reload()
    await page.locator('.lens td').first().waitFor()
    await context.close()
  })

  it('files of earlier builds leave what is kept', { timeout: DEADLINE }, async () => {
    const server = await serveExplorer({ host: 'localhost', port: 0 })
    const context = await browser.newContext()
    context.setDefaultTimeout(60_000)
    const page = await context.newPage()
    await page.goto(server.url)
    await page.waitForLoadState('networkidle')
    // As an earlier build left them.
    await page.evaluate(`(async () => {
      for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister()
      for (const name of await caches.keys()) await caches.delete(name)
      const put = async (name, ...paths) => {
        const cache = await caches.open(name)
        for (const path of paths) await cache.put(path, new Response('of an earlier build'))
      }
      await put('latentkit-explorer', './main-OLDOLDOL.js', './latentkit/latentkit.js')
      await put('latentkit-explorer-engine-0000', './latentkit/latentkit.js', './latentkit/latentkit-gone.js')
    })()`)
    await page.goto(`${server.url}#/planner`)
    await page.reload()
    await expect
      .poll(() => page.evaluate('navigator.serviceWorker.controller !== null'), { timeout: 30_000 })
      .toBe(true)
    const kept = () =>
      page.evaluate(`(async () => {
        const found = []
        for (const name of await caches.keys()) {
          for (const { url } of await (await caches.open(name)).keys()) found.push(name + ' ' + new URL(url).pathname)
        }
        return found.sort()
      })()`) as Promise<string[]>
    await expect
      .poll(async () => (await kept()).filter(one => /OLD|gone|engine-0000/.test(one)), { timeout: 30_000 })
      .toEqual([])
    const names = await kept()
    expect(names.filter(one => one.startsWith('latentkit-explorer /latentkit/'))).toEqual([])
    // What was used of the old engine is there of the new one.
    const engine = names.filter(one => /engine-\w+ \/latentkit\/latentkit\.js$/.test(one))
    expect(engine.length).toBe(1)
    const text = await page.evaluate(`caches.match('./latentkit/latentkit.js').then(found => found.text())`)
    expect(text).not.toContain('of an earlier build')
    await context.close()
    await server.close()
  })
})
