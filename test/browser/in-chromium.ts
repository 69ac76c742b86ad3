/** Pages with `latentkit/browser`, as `npm run build` leaves it in dist/browser, in a real Chromium. */
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { TALES } from '../engine/tales.ts'
import { CHROMIUM, openBrowser } from '../page/chromium.ts'
import { type ServedOptions, STRICT_CSP, StaticServer } from './static-server.ts'

export const NO_CHROMIUM = CHROMIUM === undefined
/** For names of tests. */
export const WHY_SKIPPED = NO_CHROMIUM ? ' (there is no Chromium here)' : ''

/** Milliseconds for what comes before and after a test, however busy the machine is. */
const PATIENCE = 120_000

const PAGE = '<!doctype html><title>latentkit</title><script type="module" src="/page.js"></script>'
const SCRIPT = "import * as latentkit from '/latentkit/latentkit.js'\nglobalThis.latentkit = latentkit"

/** The folder of the built files. */
export const BUILT = fileURLToPath(new URL('../../dist/browser', import.meta.url))

let browser: Browser

/** Starts the browser for the tests of a file. */
export function useChromium(): void {
  beforeAll(async () => {
    if (!NO_CHROMIUM) browser = await openBrowser()
  }, PATIENCE)
  afterAll(() => browser?.close(), PATIENCE)
}

export async function serve(options: Partial<ServedOptions> = {}): Promise<StaticServer> {
  const server = await StaticServer.open({
    folders: { latentkit: BUILT, model: TALES },
    texts: { '/': PAGE, '/page.js': SCRIPT },
    isolated: true,
    csp: STRICT_CSP,
    ...options,
  })
  onTestFinished(() => server[Symbol.asyncDispose](), PATIENCE)
  return server
}

/** What a browser keeps: pages of one see the same files. */
export async function newContext(): Promise<BrowserContext> {
  const context = await browser.newContext()
  // Waits end with the test, whose limit is the only one.
  context.setDefaultTimeout(0)
  onTestFinished(() => context.close(), PATIENCE)
  return context
}

/** A page that is told of where the test fails: of itself, a wait that does not end says nothing. */
export async function newPage(context?: BrowserContext): Promise<Page> {
  const page = await (context ?? (await newContext())).newPage()
  const said: string[] = []
  const opened = performance.now()
  const note = (what: string) => said.push(`  ${((performance.now() - opened) / 1000).toFixed(1)} s: ${what}`)
  page.on('pageerror', error => note(`error: ${error.message}`))
  page.on('console', message => note(`${message.type()}: ${message.text()}`))
  page.on('requestfailed', request => note(`${request.url()} failed: ${request.failure()?.errorText}`))
  page.on('crash', () => note('it crashed'))
  page.on('worker', worker => {
    note(`${worker.url()} started`)
    worker.on('close', () => note(`${worker.url()} ended`))
  })
  onTestFinished(async ({ task }) => {
    if (task.result?.state !== 'fail') return
    const shown = await page
      .locator('body')
      .innerText({ timeout: 2000 })
      .catch((error: Error) => error.message)
    console.error(`A page of "${task.name}" shows ${JSON.stringify(shown)}. It said:\n${said.join('\n')}`)
  }, PATIENCE)
  return page
}

/** A page in which `latentkit` is the module. */
export async function openPage(server: StaticServer, context?: BrowserContext): Promise<Page> {
  const page = await newPage(context)
  await page.goto(server.url)
  await page.waitForFunction(() => 'latentkit' in globalThis)
  return page
}
